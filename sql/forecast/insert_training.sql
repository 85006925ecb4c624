-- Record one training and the decision it led to, in one statement.
-- Keys: mlflow_run_id; one decision of the rules per training. Parameters: the columns of both tables.
with trained as (
    insert into ml.training_run (
        instrument_id, timeframe, target, horizon_bars, trained_at, mlflow_run_id, registered_model, model_version,
        recipe, dataset_sha256, definition_sha256, model_sha256, code_version, features, known_at, rows_since,
        training_rows, training_starts_at, training_ends_at, folds, test_rows, test_starts_at, test_ends_at,
        baseline, loss, baseline_loss, mae, baseline_mae, rmse, baseline_rmse, skill, p_value_over_baseline, tries,
        p_value_adjusted, direction_accuracy, direction_lower, direction_upper,
        interval_coverage, interval_coverage_95, crps, evidence
    )
    values (
        %(instrument_id)s, %(timeframe)s, %(target)s, %(horizon_bars)s, %(trained_at)s, %(mlflow_run_id)s,
        %(registered_model)s, %(model_version)s, %(recipe)s, %(dataset_sha256)s, %(definition_sha256)s,
        %(model_sha256)s, %(code_version)s, %(features)s, %(known_at)s, %(rows_since)s, %(training_rows)s,
        %(training_starts_at)s, %(training_ends_at)s, %(folds)s, %(test_rows)s, %(test_starts_at)s, %(test_ends_at)s,
        %(baseline)s, %(loss)s, %(baseline_loss)s, %(mae)s, %(baseline_mae)s, %(rmse)s, %(baseline_rmse)s, %(skill)s,
        %(p_value_over_baseline)s, %(tries)s, %(p_value_adjusted)s, %(direction_accuracy)s, %(direction_lower)s,
        %(direction_upper)s, %(interval_coverage)s, %(interval_coverage_95)s, %(crps)s, %(evidence)s
    )
    returning training_run_id
)

insert into ml.promotion (
    training_run_id, registered_model, target, decided_at, decision, reason, baseline, skill, p_value_over_baseline,
    tries, p_value_adjusted, champion_before, champion_skill, p_value_over_champion, champion_after
)
select
    trained.training_run_id,
    %(registered_model)s,
    %(target)s,
    %(trained_at)s,
    %(decision)s,
    %(reason)s,
    %(baseline)s,
    %(skill)s,
    %(p_value_over_baseline)s,
    %(tries)s,
    %(p_value_adjusted)s,
    %(champion_before)s,
    %(champion_skill)s,
    %(p_value_over_champion)s,
    %(champion_after)s
from trained
