-- Versions of one registered model with the evidence they were judged on, newest first.
-- Key: training_run_id. Parameters: registered_model.
select
    t.model_version,
    t.training_run_id,
    t.trained_at,
    t.training_ends_at,
    t.recipe,
    t.baseline,
    t.skill,
    t.p_value_adjusted,
    t.tries,
    t.test_rows,
    t.interval_coverage,
    t.interval_coverage_95,
    t.dataset_sha256,
    t.model_sha256
from ml.training_run as t
where t.registered_model = %(registered_model)s
order by t.training_run_id desc
