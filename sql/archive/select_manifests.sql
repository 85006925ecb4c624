-- What the archive holds, by market and month. Parameters, each NULL for all: dataset, instrument_id, timeframe, month.
select
    m.instrument_id, m.timeframe, m.month, m.path, m.row_count, m.first_at, m.last_at, m.file_sha256,
    m.content_sha256, m.archived_at, m.dropped_at, m.schema_version, i.venue || ':' || i.symbol as market
from (
    select
        'candle' as dataset,
        c.instrument_id,
        c.timeframe::text,
        c.month,
        c.path,
        c.row_count,
        c.first_opened_at as first_at,
        c.last_opened_at as last_at,
        c.file_sha256,
        c.content_sha256,
        c.archived_at,
        c.dropped_at,
        c.schema_version
    from ops.archive_manifest as c
    union all
    select
        'ticker' as dataset,
        t.instrument_id,
        null as timeframe,
        t.month,
        t.path,
        t.row_count,
        t.first_observed_at as first_at,
        t.last_observed_at as last_at,
        t.file_sha256,
        t.content_sha256,
        t.archived_at,
        t.dropped_at,
        t.schema_version
    from ops.ticker_manifest as t
) as m
inner join market.instrument as i using (instrument_id)
where
    (%(dataset)s::text is null or m.dataset = %(dataset)s)
    and (%(instrument_id)s::integer is null or m.instrument_id = %(instrument_id)s)
    and (%(timeframe)s::text is null or m.timeframe = %(timeframe)s)
    and (%(month)s::date is null or m.month = %(month)s)
order by m.month, i.venue, i.symbol, m.dataset, m.timeframe
