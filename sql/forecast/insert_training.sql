-- Record one training and the decision it led to, in one statement.
-- Keys: mlflow_run_id; one decision per training. Parameters: the columns of both tables.
with trained as (
    insert into ml.training_run (
        instrument_id, timeframe, horizon_bars, trained_at, mlflow_run_id, registered_model, model_version,
        dataset_sha256, definition_sha256, training_rows, training_starts_at, training_ends_at,
        holdout_rows, holdout_starts_at, holdout_ends_at, mae, naive_mae, rmse, naive_rmse, skill,
        direction_accuracy, direction_lower, direction_upper, p_value_over_naive,
        interval_coverage, naive_interval_coverage
    )
    values (
        %(instrument_id)s, %(timeframe)s, %(horizon_bars)s, %(trained_at)s, %(mlflow_run_id)s, %(registered_model)s,
        %(model_version)s, %(dataset_sha256)s, %(definition_sha256)s, %(training_rows)s, %(training_starts_at)s,
        %(training_ends_at)s, %(holdout_rows)s, %(holdout_starts_at)s, %(holdout_ends_at)s, %(mae)s, %(naive_mae)s,
        %(rmse)s, %(naive_rmse)s, %(skill)s, %(direction_accuracy)s, %(direction_lower)s, %(direction_upper)s,
        %(p_value_over_naive)s, %(interval_coverage)s, %(naive_interval_coverage)s
    )
    returning training_run_id
)

insert into ml.promotion (
    training_run_id, decided_at, decision, reason, skill, p_value_over_naive,
    champion_before, champion_skill, p_value_over_champion, champion_after
)
select
    trained.training_run_id,
    %(trained_at)s,
    %(decision)s,
    %(reason)s,
    %(skill)s,
    %(p_value_over_naive)s,
    %(champion_before)s,
    %(champion_skill)s,
    %(p_value_over_champion)s,
    %(champion_after)s
from trained
