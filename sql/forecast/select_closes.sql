-- Closes and base volumes of the closed candles of one series, oldest first.
-- Key: opened_at. Parameters: instrument_id, timeframe, since (first open time), now (closed by then).
select
    opened_at,
    close::float8 as close,
    base_volume::float8 as base_volume
from market.candle
where
    instrument_id = %(instrument_id)s
    and timeframe = %(timeframe)s::market.timeframe
    and opened_at >= %(since)s
    and opened_at <= %(now)s - market.step(%(timeframe)s::market.timeframe)
order by opened_at
