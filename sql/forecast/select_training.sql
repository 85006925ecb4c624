-- The newest training of one series and kind on exactly this data and definition, with its decision.
-- Key: training_run_id. Parameters: instrument_id, timeframe, target, horizon_bars, dataset_sha256, definition_sha256.
select
    t.model_version,
    t.mlflow_run_id,
    p.reason,
    t.recipe,
    t.baseline,
    t.skill,
    t.p_value_adjusted,
    t.tries,
    t.training_rows,
    t.test_rows
from ml.training_run as t
inner join ml.promotion as p using (training_run_id)
where
    t.instrument_id = %(instrument_id)s
    and t.timeframe = %(timeframe)s::market.timeframe
    and t.target = %(target)s
    and t.horizon_bars = %(horizon_bars)s
    and t.dataset_sha256 = %(dataset_sha256)s
    and t.definition_sha256 = %(definition_sha256)s
    and p.decision <> 'rolled_back'
order by t.training_run_id desc
limit 1
