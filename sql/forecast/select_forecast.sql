-- Whether the forecast of one series and horizon is sealed for that time.
-- Key: (instrument_id, timeframe, horizon_bars, as_of), all parameters.
select forecast_id
from ml.forecast
where
    instrument_id = %(instrument_id)s
    and timeframe = %(timeframe)s::market.timeframe
    and horizon_bars = %(horizon_bars)s
    and as_of = %(as_of)s
