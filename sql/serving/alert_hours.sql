-- How far each coin's hours have been searched for alerts: the transforms price every hour with a candle
-- (mart.hourly_price) in the transaction that searches it. A row per coin with a market that trades: crypto,
-- newest_candle and newest_searched (closes of the newest hours), expected and searched (hours of the window).
-- Parameters: crypto (NULL: any), starts_at, ends_at (half-open window of the hours' closes), now.
with coins as (
    select distinct i.base as crypto
    from market.instrument as i
    where
        coalesce(i.delisted_at, 'infinity') > %(now)s
        and i.is_trading is distinct from false
        and i.base = coalesce(%(crypto)s::text, i.base)
),

hours as (
    select distinct
        i.base as crypto,
        c.opened_at
    from market.instrument as i
    inner join coins as k on i.base = k.crypto
    inner join market.candle as c using (instrument_id)
    where
        c.timeframe = '1h'
        and c.opened_at >= %(starts_at)s::timestamptz - interval '1 hour'
        and c.opened_at < %(ends_at)s::timestamptz - interval '1 hour'
),

searched as (
    select distinct
        p.crypto,
        p.hour_at
    from mart.hourly_price as p
    where
        p.hour_at >= %(starts_at)s::timestamptz - interval '1 hour'
        and p.hour_at < %(ends_at)s::timestamptz - interval '1 hour'
),

counted as (
    select
        h.crypto,
        count(*) as expected,
        count(s.hour_at) as searched
    from hours as h
    left join searched as s on h.crypto = s.crypto and h.opened_at = s.hour_at
    group by h.crypto
)

select
    k.crypto,
    (
        select max(newest.opened_at) + interval '1 hour'
        from market.instrument as i
        cross join
            lateral (
                select c.opened_at
                from market.candle as c
                where c.instrument_id = i.instrument_id and c.timeframe = '1h'
                order by c.opened_at desc
                limit 1
            ) as newest
        where i.base = k.crypto
    ) as newest_candle,
    (
        select max(p.hour_at) + interval '1 hour'
        from mart.hourly_price as p
        where p.crypto = k.crypto
    ) as newest_searched,
    coalesce(n.expected, 0) as expected,
    coalesce(n.searched, 0) as searched
from coins as k
left join counted as n on k.crypto = n.crypto
order by k.crypto
