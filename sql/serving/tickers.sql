-- Snapshots of one market, as the view ticker_snapshots has them.
-- Parameters: instrument_id, starts_at, ends_at (half-open window of observed_at), after_observed_at, limit.
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
    t.source
from market.ticker as t
inner join market.instrument as i using (instrument_id)
where
    t.instrument_id = %(instrument_id)s
    and t.observed_at >= %(starts_at)s
    and t.observed_at < %(ends_at)s
    and (%(after_observed_at)s::timestamptz is null or t.observed_at > %(after_observed_at)s::timestamptz)
order by t.observed_at
limit %(limit)s
