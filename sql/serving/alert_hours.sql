-- How far each coin's hours have been searched for alerts: the transforms price every hour with a candle
-- (mart.hourly_price) in the transaction that searches it. A row per coin with a market that trades: crypto,
-- newest_candle and newest_searched (closes of the newest hours), expected and searched (hours of the window,
-- by quote).
-- Parameters: crypto (NULL: any), starts_at, ends_at (half-open window of the hours' closes), now.
with markets as (
    select
        i.base as crypto,
        i.quote,
        array_agg(i.instrument_id) as instrument_ids
    from market.instrument as i
    where
        coalesce(i.delisted_at, 'infinity') > %(now)s
        and i.is_trading is distinct from false
        and i.base = coalesce(%(crypto)s::text, i.base)
    group by i.base, i.quote
)

select
    m.crypto,
    max(newest.closed_at) as newest_candle,
    max(searched.closed_at) as newest_searched,
    sum(hours.expected)::bigint as expected,
    sum(least(hours.expected, priced.searched))::bigint as searched
from markets as m
cross join
    lateral (
        select max(last.opened_at) + interval '1 hour' as closed_at
        from unnest(m.instrument_ids) as i (instrument_id)
        cross join
            lateral (
                select c.opened_at
                from market.candle as c
                where c.instrument_id = i.instrument_id and c.timeframe = '1h'
                order by c.opened_at desc
                limit 1
            ) as last
    ) as newest
cross join
    lateral (
        select max(p.hour_at) + interval '1 hour' as closed_at
        from mart.hourly_price as p
        where p.crypto = m.crypto and p.quote = m.quote
    ) as searched
cross join
    lateral (
        select count(distinct c.opened_at) as expected
        from market.candle as c
        where
            c.instrument_id = any(m.instrument_ids)
            and c.timeframe = '1h'
            and c.opened_at >= %(starts_at)s::timestamptz - interval '1 hour'
            and c.opened_at < %(ends_at)s::timestamptz - interval '1 hour'
    ) as hours
cross join
    lateral (
        select count(*) as searched
        from mart.hourly_price as p
        where
            p.crypto = m.crypto
            and p.quote = m.quote
            and p.hour_at >= %(starts_at)s::timestamptz - interval '1 hour'
            and p.hour_at < %(ends_at)s::timestamptz - interval '1 hour'
    ) as priced
group by m.crypto
order by m.crypto
