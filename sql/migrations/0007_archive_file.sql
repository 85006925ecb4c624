-- Files of a venue's published archive that were compared with, or loaded into, the warehouse.
-- What was learned of each version, so that it is read once, asked about again once, and a later change is noticed.

create table ops.archive_file (
    venue text not null,
    name text not null,
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    sha256 text,
    etag text,
    last_modified timestamptz,
    row_count bigint,
    first_checked_at timestamptz not null,
    checked_at timestamptz not null,
    verdict text not null check (
        verdict in (
            'loaded', 'equal', 'filled', 'volumes_differ', 'prices_differ', 'rows_missing',
            'short', 'not_published', 'corrupt'
        )
    ),
    primary key (venue, name),
    check (starts_at < ends_at),
    check (first_checked_at <= checked_at)
);
create index archive_file_series on ops.archive_file (instrument_id, timeframe, starts_at);
comment on table ops.archive_file is 'Published files by what came of comparing them with the warehouse.';
comment on column ops.archive_file.sha256 is 'Of the last version that was read; NULL: none was.';
comment on column ops.archive_file.first_checked_at is 'When the version of that sha256 was first read.';
comment on column ops.archive_file.checked_at is 'When the file was last asked for.';
comment on column ops.archive_file.verdict is
'loaded: stored by a backfill. Compared with candles held from elsewhere: equal; filled: held some that were missing;
volumes_differ; prices_differ; rows_missing: lacks candles that are held, or has rows that are none.
To be asked for again: short: ends before its span does; not_published: not there though due; corrupt.';
