-- When models were last trained. No parameters.
select
    i.symbol,
    t.horizon_bars::text as horizon,
    t.target,
    extract(epoch from max(t.trained_at))::float8 as model_trained_timestamp_seconds
from ml.training_run as t
inner join market.instrument as i using (instrument_id)
group by i.symbol, t.horizon_bars, t.target
order by i.symbol, t.horizon_bars, t.target
