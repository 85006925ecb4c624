-- The newest ticker of each market: one look into the key of the newest month per market. No parameters.
select
    i.venue,
    i.symbol,
    extract(epoch from newest.observed_at)::float8 as ticker_newest_timestamp_seconds
from market.instrument as i
cross join
    lateral (
        select t.observed_at
        from market.ticker as t
        where t.instrument_id = i.instrument_id
        order by t.observed_at desc
        limit 1
    ) as newest
order by i.venue, i.symbol
