-- Features of the closed candles of one series, oldest first.
-- Key: opened_at. Names: features (columns). Parameters: instrument_id, timeframe, since (first open time),
-- now (only candles that had closed by then).
select
    opened_at,
    {{ features | join(', ') }}
from features.candle_feature
where
    instrument_id = %(instrument_id)s
    and timeframe = %(timeframe)s::market.timeframe
    and opened_at >= %(since)s
    and opened_at <= %(now)s - market.step(%(timeframe)s::market.timeframe)
order by opened_at
