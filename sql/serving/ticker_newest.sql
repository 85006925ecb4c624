-- When each market that trades, as far as its venue has said, was last observed; NULL: never.
-- Parameters: venue, symbol (NULL: any), now.
select
    i.venue,
    i.symbol,
    (
        select t.observed_at
        from market.ticker as t
        where t.instrument_id = i.instrument_id
        order by t.observed_at desc
        limit 1
    ) as observed_at
from market.instrument as i
where
    i.listed_at <= %(now)s
    and coalesce(i.delisted_at, 'infinity') > %(now)s
    and i.is_trading is distinct from false
    and i.venue = coalesce(%(venue)s::text, i.venue)
    and i.symbol = coalesce(%(symbol)s::text, i.symbol)
order by i.venue, i.symbol
