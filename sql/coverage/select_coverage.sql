-- Per instrument and timeframe, in one snapshot: first open time, candles closed by a time that the table holds or that
-- only the archive holds, and the holes between neighbours and after the newest, as half-open ranges of open times.
-- An archived month that left the table is taken as what its first and last candle bound. Parameter: now.
with known as (
    select
        instrument_id,
        timeframe,
        opened_at as starts_at,
        opened_at + market.step(timeframe) as ends_at,
        1 as observed,
        0 as archived
    from market.candle
    where opened_at + market.step(timeframe) <= %(now)s
    union all
    select
        m.instrument_id,
        m.timeframe,
        m.first_opened_at,
        m.last_opened_at + market.step(m.timeframe),
        0,
        greatest(m.row_count - returned.candles, 0)
    from ops.archive_manifest as m
    cross join
        lateral (
            select count(*) as candles
            from market.candle as c
            where
                c.instrument_id = m.instrument_id and c.timeframe = m.timeframe
                and c.opened_at between m.first_opened_at and m.last_opened_at
        ) as returned
    where m.dropped_at is not null
),

neighbours as (
    select
        *,
        max(ends_at) over (series rows unbounded preceding) as covered_until,
        lead(
            starts_at, 1, date_bin(market.step(timeframe), %(now)s, timestamptz '1970-01-01 00:00:00+00')
        ) over series as next_starts_at
    from known
    window series as (partition by instrument_id, timeframe order by starts_at, ends_at)
)

select
    i.instrument_id,
    i.venue,
    i.symbol,
    n.timeframe::text,
    min(n.starts_at) as first_opened_at,
    date_bin(market.step(n.timeframe), %(now)s, timestamptz '1970-01-01 00:00:00+00') as until,
    sum(n.observed)::bigint as observed,
    sum(n.archived)::bigint as archived,
    coalesce(
        array_agg(n.covered_until order by n.starts_at) filter (where n.covered_until < n.next_starts_at), '{}'
    ) as hole_starts,
    coalesce(
        array_agg(n.next_starts_at order by n.starts_at) filter (where n.covered_until < n.next_starts_at), '{}'
    ) as hole_ends
from neighbours as n
inner join market.instrument as i using (instrument_id)
group by i.instrument_id, i.venue, i.symbol, n.timeframe
order by i.venue, i.symbol, n.timeframe
