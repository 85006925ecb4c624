-- Candles of one instrument and timeframe in [starts_at, ends_at) as the computation wants them, oldest first.
-- bar = whole steps since the epoch; decimals become the nearest float8, a missing figure NaN.
-- Parameters: instrument_id, timeframe, step_seconds, starts_at, ends_at.
select
    (extract(epoch from c.opened_at)::bigint / %(step_seconds)s)::float8 as bar,
    c.high::float8,
    c.low::float8,
    c.close::float8,
    c.base_volume::float8,
    coalesce(c.taker_buy_base_volume::float8, 'NaN') as taker_buy_base_volume
from market.candle as c
where
    c.instrument_id = %(instrument_id)s
    and c.timeframe = %(timeframe)s::market.timeframe
    and c.opened_at >= %(starts_at)s
    and c.opened_at < %(ends_at)s
order by c.opened_at
