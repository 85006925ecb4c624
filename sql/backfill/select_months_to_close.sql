-- Months of the given series that hold candles and whose published file was never compared or is to be asked for again.
-- Keys: instrument_id, timeframe, starts_at. Those come first that were asked for longest ago.
-- Parameters: the arrays instrument_ids and timeframes (one element per series); venue; due_until: months that end by
-- then are due; now; recheck_after: age of a version at which it is asked about once more; limit.
-- Answers per month: series, its start, the ETag of the version that was read (NULL: the file is to be read anew).
with series as (
    select
        given.instrument_id,
        given.timeframe
    from
        unnest(
            cast(%(instrument_ids)s as integer[]), cast(%(timeframes)s as market.timeframe[])
        ) as given (instrument_id, timeframe)
),

extents as (
    select
        s.instrument_id,
        s.timeframe,
        min(c.opened_at) at time zone 'UTC' as first_open,
        max(c.opened_at) at time zone 'UTC' as last_open
    from series as s
    inner join market.candle as c using (instrument_id, timeframe)
    group by s.instrument_id, s.timeframe
),

months as (
    select
        e.instrument_id,
        e.timeframe,
        m.starts_at at time zone 'UTC' as starts_at,
        (m.starts_at + interval '1 month') at time zone 'UTC' as ends_at
    from extents as e
    cross join generate_series(date_trunc('month', e.first_open), e.last_open, interval '1 month') as m (starts_at)
)

select
    m.instrument_id,
    m.timeframe::text as timeframe,
    m.starts_at,
    case when f.verdict <> all(array['short', 'not_published', 'corrupt']) then f.etag end as etag
from months as m
left join ops.archive_file as f
    on
        m.instrument_id = f.instrument_id
        and m.timeframe = f.timeframe
        and m.starts_at = f.starts_at
        and m.ends_at = f.ends_at
        and f.venue = %(venue)s
where
    m.ends_at <= %(due_until)s
    and (
        f.name is null
        or f.verdict = any(array['short', 'not_published', 'corrupt'])
        or (
            f.first_checked_at + %(recheck_after)s <= %(now)s
            and f.checked_at < f.first_checked_at + %(recheck_after)s
        )
    )
    and exists (
        select from market.candle as c
        where
            m.instrument_id = c.instrument_id
            and m.timeframe = c.timeframe
            and c.opened_at >= m.starts_at
            and c.opened_at < m.ends_at
    )
order by f.checked_at nulls first, m.starts_at, m.instrument_id, m.timeframe
limit %(limit)s
