-- What operations are counted and watched by: the last count of expected candles, verified backups, and the rights of
-- the role monitor, which reads the columns that sql/facts names and nothing else.

create table ops.coverage_count (
    instrument_id integer not null references market.instrument (instrument_id),
    timeframe market.timeframe not null,
    expected bigint not null check (expected >= 0),
    observed bigint not null check (observed between 0 and expected),
    unknown bigint not null check (unknown between 0 and expected),
    is_configured boolean not null,
    counted_at timestamptz not null,
    primary key (instrument_id, timeframe)
);
comment on table ops.coverage_count is
'The equation of completeness per series as the task publish_facts last counted it; the rest is explained.';
comment on column ops.coverage_count.observed is 'Held, by the table or by the verified archive.';
comment on column ops.coverage_count.is_configured is 'False for what was collected once and is configured no more.';
comment on column ops.coverage_count.counted_at is 'By the clock of the world: what was expected is as of then.';

create table ops.backup (
    backup_id bigint generated always as identity primary key,
    database text not null check (database <> ''),
    path text not null check (path <> ''),
    bytes bigint not null check (bytes > 0),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    started_at timestamptz not null,
    finished_at timestamptz not null check (finished_at >= started_at),
    restored_at timestamptz check (restored_at >= finished_at)
);
create index backup_of_database on ops.backup (database, finished_at);
comment on table ops.backup is 'One row per backup that was read back and found whole. Times are the server''s own.';
comment on column ops.backup.restored_at is 'When it was last restored, to try it or in need.';
-- Whoever loads market data has no say in whether a backup is there.
revoke insert, update, delete on ops.backup from warehouse_writer;

-- Keys and times, hardly a value: who shows pages to everybody should have little to show.
grant usage on schema market, features, ml, ops to monitor;
grant select (instrument_id, venue, symbol) on market.instrument to monitor;
grant select (instrument_id, timeframe, opened_at) on market.candle, features.candle_feature to monitor;
grant select on market.ticker to monitor;
grant select (day, published_at) on market.fear_greed to monitor;
grant select (instrument_id, timeframe, horizon_bars, as_of, target_at) on ml.forecast to monitor;
grant select (instrument_id, horizon_bars, target, trained_at) on ml.training_run to monitor;
grant select (source, state) on ops.circuit to monitor;
grant select on ops.coverage_count to monitor;
grant select (database, finished_at) on ops.backup to monitor;
