-- Every registered model that was trained: market, timeframe and kind. Key: registered_model. No parameters.
select distinct
    t.registered_model,
    i.venue || ':' || i.symbol as market,
    t.timeframe::text as timeframe,
    t.target,
    t.horizon_bars
from ml.training_run as t
inner join market.instrument as i using (instrument_id)
order by market, timeframe, t.target, t.horizon_bars, t.registered_model
