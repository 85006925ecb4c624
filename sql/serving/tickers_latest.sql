-- The newest snapshot of each market that trades, as far as its venue has said, as the view ticker_snapshots has it,
-- and its age.
-- Parameters: venue, symbol (NULL: any), now, limit.
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
    extract(epoch from %(now)s::timestamptz - t.observed_at)::float8 as age_seconds
from market.instrument as i
cross join
    lateral (
        select newest.*
        from market.ticker as newest
        where newest.instrument_id = i.instrument_id
        order by newest.observed_at desc
        limit 1
    ) as t
where
    i.listed_at <= %(now)s
    and coalesce(i.delisted_at, 'infinity') > %(now)s
    and i.is_trading is distinct from false
    and i.venue = coalesce(%(venue)s::text, i.venue)
    and i.symbol = coalesce(%(symbol)s::text, i.symbol)
order by i.venue, i.symbol
limit %(limit)s
