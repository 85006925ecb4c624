-- MLflow runs that stay: those that were or are champion, spoke in a sealed forecast, or were trained lately.
-- Parameter: trained_since.
select t.mlflow_run_id
from ml.training_run as t
where
    t.trained_at >= %(trained_since)s
    or exists (
        select from ml.promotion as p
        where
            p.registered_model = t.registered_model
            and t.model_version in (p.champion_before, p.champion_after)
    )
    or exists (
        select from ml.forecast as f
        where
            f.instrument_id = t.instrument_id
            and f.timeframe = t.timeframe
            and f.horizon_bars = t.horizon_bars
            and t.model_version in (f.model_version, f.volatility_model_version)
    )
