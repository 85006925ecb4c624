-- The warehouse's ground: schemas, rights, market data and the machinery around it.
-- Run by warehouse_owner. Times are UTC; windows are half-open [starts_at, ends_at).

create schema market;
create schema features;
create schema mart;
create schema ml;

-- Rights: the writer loads, the reader looks; what later migrations create in these schemas follows by default.
grant usage on schema market, ops, features, mart, ml to warehouse_writer, warehouse_reader;
alter default privileges in schema market, ops, features, mart, ml
grant select, insert, update, delete on tables to warehouse_writer;
alter default privileges in schema market, ops, features, mart, ml, public
grant select on tables to warehouse_reader;
alter default privileges in schema public grant select on tables to warehouse_writer;
grant select on ops.migration to warehouse_writer, warehouse_reader;

-- market ------------------------------------------------------------------------------------------------------------

create type market.timeframe as enum ('1m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '12h', '1d');

create function market.step(timeframe market.timeframe) returns interval
language sql immutable strict parallel safe
return case timeframe
    when '1m' then interval '1 minute'
    when '5m' then interval '5 minutes'
    when '15m' then interval '15 minutes'
    when '30m' then interval '30 minutes'
    when '1h' then interval '1 hour'
    when '2h' then interval '2 hours'
    when '4h' then interval '4 hours'
    when '6h' then interval '6 hours'
    when '12h' then interval '12 hours'
    when '1d' then interval '24 hours'
end;
comment on function market.step is 'Length of one candle.';

create table market.instrument (
    instrument_id integer generated always as identity primary key,
    venue text not null check (venue ~ '^[a-z][a-z0-9_]*$'),
    symbol text not null check (symbol ~ '^[A-Z0-9]+/[A-Z0-9]+$'),
    venue_symbol text not null,
    base text not null generated always as (split_part(symbol, '/', 1)) stored,
    quote text not null generated always as (split_part(symbol, '/', 2)) stored,
    listed_at timestamptz not null,
    delisted_at timestamptz check (delisted_at > listed_at),
    unique (venue, symbol),
    unique (venue, venue_symbol)
);
comment on column market.instrument.symbol is 'BASE/QUOTE in our spelling; USD, USDT and USDC are different quotes.';
comment on column market.instrument.listed_at is 'First open time the venue is known to have.';

-- NaN and Infinity are greater than every number in PostgreSQL, hence the upper bounds.
create table market.candle (
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    opened_at timestamptz not null,
    recorded_at timestamptz not null,
    open numeric not null,
    high numeric not null,
    low numeric not null,
    close numeric not null,
    base_volume numeric not null,
    quote_volume numeric,
    trade_count bigint,
    vwap numeric,
    taker_buy_base_volume numeric,
    taker_buy_quote_volume numeric,
    source text not null,
    primary key (instrument_id, timeframe, opened_at),
    constraint candle_is_aligned check (
        date_bin(market.step(timeframe), opened_at, timestamptz '1970-01-01 00:00:00+00') = opened_at
    ),
    constraint candle_is_closed check (recorded_at >= opened_at + market.step(timeframe)),
    constraint candle_prices_are_sane check (
        low > 0 and low <= least(open, close) and high >= greatest(open, close) and high < 'Infinity'
    ),
    constraint candle_volumes_are_sane check (
        base_volume >= 0 and base_volume < 'Infinity'
        and quote_volume >= 0 and quote_volume < 'Infinity'
        and trade_count >= 0
        and vwap >= 0 and vwap < 'Infinity'
        and taker_buy_base_volume between 0 and base_volume
        and taker_buy_quote_volume >= 0 and taker_buy_quote_volume < 'Infinity'
        and taker_buy_quote_volume <= coalesce(quote_volume, taker_buy_quote_volume)
    )
);
comment on table market.candle is 'Closed candles only, named by their open time; nothing invented, nothing filled.';
comment on column market.candle.recorded_at is 'When we came to know the present values.';

create table market.candle_revision (
    revision_id bigint generated always as identity primary key,
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    opened_at timestamptz not null,
    recorded_at timestamptz not null,
    superseded_at timestamptz not null,
    open numeric not null,
    high numeric not null,
    low numeric not null,
    close numeric not null,
    base_volume numeric not null,
    quote_volume numeric,
    trade_count bigint,
    vwap numeric,
    taker_buy_base_volume numeric,
    taker_buy_quote_volume numeric,
    source text not null
);
create index candle_revision_key on market.candle_revision (instrument_id, timeframe, opened_at, superseded_at);
comment on table market.candle_revision is
'Values that were replaced: known from recorded_at, replaced at superseded_at.';
revoke update, delete on market.candle_revision from warehouse_writer;

create table market.quarantine (
    quarantine_id bigint generated always as identity primary key,
    fingerprint bytea not null unique,
    recorded_at timestamptz not null,
    dataset text not null,
    source text not null,
    request text,
    instrument_id integer references market.instrument,
    timeframe market.timeframe,
    opened_at timestamptz,
    reason text not null,
    raw text not null
);
create index quarantine_recorded_at on market.quarantine (recorded_at);
comment on table market.quarantine is
'Rows of a payload that failed validation, with the reason and the text as it came.';
comment on column market.quarantine.fingerprint is
'SHA-256 of what was rejected and why: the same rejection is kept once.';

create table market.ticker (
    instrument_id integer not null references market.instrument,
    observed_at timestamptz not null,
    recorded_at timestamptz not null,
    last numeric not null check (last > 0 and last < 'Infinity'),
    bid numeric check (bid >= 0 and bid < 'Infinity'),
    ask numeric check (ask >= 0 and ask < 'Infinity'),
    open_24h numeric check (open_24h >= 0 and open_24h < 'Infinity'),
    high_24h numeric check (high_24h >= 0 and high_24h < 'Infinity'),
    low_24h numeric check (low_24h >= 0 and low_24h < 'Infinity'),
    base_volume_24h numeric check (base_volume_24h >= 0 and base_volume_24h < 'Infinity'),
    quote_volume_24h numeric check (quote_volume_24h >= 0 and quote_volume_24h < 'Infinity'),
    change_percent_24h numeric check (change_percent_24h >= -100 and change_percent_24h < 'Infinity'),
    trade_count_24h bigint check (trade_count_24h >= 0),
    source text not null,
    primary key (instrument_id, observed_at)
);
comment on table market.ticker is 'Spot snapshots; observed_at is the venue''s time of the answer.';

create table market.coin_snapshot (
    coin text not null check (coin <> ''),
    observed_at timestamptz not null,
    recorded_at timestamptz not null,
    price_usd numeric check (price_usd >= 0 and price_usd < 'Infinity'),
    market_cap_usd numeric check (market_cap_usd >= 0 and market_cap_usd < 'Infinity'),
    volume_24h_usd numeric check (volume_24h_usd >= 0 and volume_24h_usd < 'Infinity'),
    circulating_supply numeric check (circulating_supply >= 0 and circulating_supply < 'Infinity'),
    rank integer check (rank > 0),
    source text not null,
    primary key (coin, observed_at)
);
comment on table market.coin_snapshot is 'Aggregator''s view of a coin; a figure it did not supply is NULL.';

create table market.fear_greed (
    day date primary key,
    value smallint not null check (value between 0 and 100),
    classification text not null check (classification <> ''),
    published_at timestamptz not null,
    recorded_at timestamptz not null,
    source text not null
);
comment on column market.fear_greed.published_at is 'From when the value could be known.';

create table market.fear_greed_revision (
    revision_id bigint generated always as identity primary key,
    day date not null,
    value smallint not null,
    classification text not null,
    published_at timestamptz not null,
    recorded_at timestamptz not null,
    superseded_at timestamptz not null,
    source text not null
);
create index fear_greed_revision_key on market.fear_greed_revision (day, superseded_at);
revoke update, delete on market.fear_greed_revision from warehouse_writer;

-- ops ---------------------------------------------------------------------------------------------------------------

create table ops.world (
    only_row boolean primary key default true check (only_row),
    world text not null check (world in ('live', 'recorded', 'synthetic'))
);
comment on table ops.world is 'Which world this warehouse holds; set by the first write, never mixed.';
revoke update, delete on ops.world from warehouse_writer;

create table ops.change_range (
    change_id bigint generated always as identity primary key,
    dataset text not null,
    instrument_id integer references market.instrument,
    timeframe market.timeframe,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    recorded_at timestamptz not null,
    check (starts_at < ends_at),
    check (dataset <> 'candle' or num_nulls(instrument_id, timeframe) = 0)
);
comment on table ops.change_range is 'What was written and others must redo, as contiguous half-open ranges.';

create table ops.change_receipt (
    consumer text not null,
    change_id bigint not null references ops.change_range on delete cascade,
    primary key (consumer, change_id)
);
create index change_receipt_change_id on ops.change_receipt (change_id);
comment on table ops.change_receipt is
'Who has dealt with which change; ids commit out of order, so no watermark would do.';

create table ops.archive_manifest (
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    month date not null check (extract(day from month) = 1),
    path text not null,
    row_count bigint not null check (row_count > 0),
    first_opened_at timestamptz not null,
    last_opened_at timestamptz not null,
    file_sha256 text not null,
    content_sha256 text not null,
    archived_at timestamptz not null,
    dropped_at timestamptz,
    primary key (instrument_id, timeframe, month)
);
comment on table ops.archive_manifest is
'Months of candles that exist as verified Parquet; dropped_at where the table no longer holds them.';

create table ops.pipeline_run (
    dag_id text not null,
    run_id text not null,
    task_id text not null,
    map_index integer not null default -1,
    try_number integer not null default 1,
    window_starts_at timestamptz,
    window_ends_at timestamptz,
    rows_new bigint not null,
    rows_changed bigint not null,
    rows_unchanged bigint not null,
    rows_rejected bigint not null default 0,
    finished_at timestamptz not null,
    primary key (dag_id, run_id, task_id, map_index, try_number)
);
comment on table ops.pipeline_run is 'What each task that wrote market data did.';

-- public: what consumers read; names and keys stay ------------------------------------------------------------------

create view public.ohlcv as
select
    i.venue,
    i.symbol,
    c.timeframe,
    c.opened_at,
    c.open,
    c.high,
    c.low,
    c.close,
    c.base_volume as volume,
    c.quote_volume,
    c.trade_count,
    c.vwap,
    c.taker_buy_base_volume,
    c.taker_buy_quote_volume,
    c.source,
    c.recorded_at,
    (select w.world from ops.world as w) as world
from market.candle as c
inner join market.instrument as i using (instrument_id);
comment on view public.ohlcv is 'Closed candles; key (venue, symbol, timeframe, opened_at); volume in base units.';

create view public.ticker_snapshots as
select
    i.venue,
    i.symbol,
    t.observed_at,
    t.last,
    t.bid,
    t.ask,
    t.open_24h,
    t.high_24h,
    t.low_24h,
    t.base_volume_24h,
    t.quote_volume_24h,
    t.change_percent_24h,
    t.trade_count_24h,
    t.source,
    (select w.world from ops.world as w) as world
from market.ticker as t
inner join market.instrument as i using (instrument_id);
comment on view public.ticker_snapshots is 'Spot snapshots; key (venue, symbol, observed_at).';

create view public.fear_greed_index as
select
    f.day::timestamp at time zone 'UTC' as timestamp,
    f.value,
    f.classification,
    f.published_at,
    f.source,
    (select w.world from ops.world as w) as world
from market.fear_greed as f;
comment on view public.fear_greed_index is 'Fear & Greed index 0..100; key timestamp, the day''s start in UTC.';
