-- Trainings are judged by walk-forward folds against the best baseline, for more than one target; the model that may
-- serve is then fitted on all rows. Promotions say how many tries a figure is corrected for, and who rolled one back.
-- Losses: mean squared error of log returns for target log_return, QLIKE for volatility.

alter table ml.training_run rename column holdout_rows to test_rows;
alter table ml.training_run rename column holdout_starts_at to test_starts_at;
alter table ml.training_run rename column holdout_ends_at to test_ends_at;
alter table ml.training_run rename column naive_mae to baseline_mae;
alter table ml.training_run rename column naive_rmse to baseline_rmse;
alter table ml.training_run rename column p_value_over_naive to p_value_over_baseline;
alter table ml.training_run
drop constraint training_run_check,
alter column interval_coverage drop not null,
alter column naive_interval_coverage drop not null,
-- What trainings before this migration were: one model of log returns against the random walk, on one hold-out.
add column target text not null default 'log_return' check (target in ('log_return', 'volatility')),
add column recipe text not null default 'boosting',
add column baseline text not null default 'random_walk',
add column tries integer not null default 1 check (tries > 0),
add column folds integer not null default 1 check (folds > 0),
add column p_value_adjusted float8 check (p_value_adjusted between 0 and 1),
add column loss float8,
add column baseline_loss float8,
add column crps float8,
add column interval_coverage_95 float8 check (interval_coverage_95 between 0 and 1),
add column known_at timestamptz,
add column rows_since timestamptz,
add column model_sha256 text,
add column code_version text,
add column features text[],
add column evidence jsonb;
update ml.training_run set
    p_value_adjusted = p_value_over_baseline,
    loss = rmse ^ 2,
    baseline_loss = baseline_rmse ^ 2,
    known_at = trained_at;
alter table ml.training_run
alter column target drop default,
alter column recipe drop default,
alter column baseline drop default,
alter column tries drop default,
alter column folds drop default,
alter column p_value_adjusted set not null,
alter column loss set not null,
alter column baseline_loss set not null,
alter column known_at set not null,
add constraint training_run_learns_from_the_past check (
    training_starts_at < training_ends_at and training_ends_at <= known_at and test_ends_at <= known_at
) not valid;
drop index ml.training_run_key;
create index training_run_key on ml.training_run (instrument_id, timeframe, target, horizon_bars, trained_at);
create index training_run_version on ml.training_run (registered_model, model_version);
comment on table ml.training_run is 'One row per training: its data, its model, how its recipe did in a walk-forward.';
comment on column ml.training_run.training_rows is 'Rows the model was fitted on: all whose outcome was known.';
comment on column ml.training_run.test_rows is 'Rows of all test folds; each was forecast by a fit on rows before it.';
comment on column ml.training_run.definition_sha256 is 'Recipes, baselines, rules; another digest: train afresh.';
comment on column ml.training_run.skill is '1 - loss / baseline_loss on the test folds; 0: the best baseline.';
comment on column ml.training_run.baseline is 'With the smallest loss of all; what the model was compared with.';
comment on column ml.training_run.tries is 'Recipes compared, times trainings with an overlapping test window.';
comment on column ml.training_run.p_value_adjusted is 'p_value_over_baseline times tries, at most 1.';
comment on column ml.training_run.known_at is 'The data are as known then; rows_since: first open time asked for.';
comment on column ml.training_run.model_sha256 is 'Of the fitted model; the same data and code give the same.';
comment on column ml.training_run.code_version is 'SHA-256 of the sources that features and forecasts are made by.';
comment on column ml.training_run.naive_interval_coverage is 'Of trainings on one hold-out; NULL since.';
comment on column ml.training_run.evidence is 'Every figure of the judgement: recipes, baselines, champion, regimes.';

alter table ml.promotion rename column p_value_over_naive to p_value_over_baseline;
alter table ml.promotion disable trigger promotion_is_sealed;
alter table ml.promotion
drop constraint promotion_training_run_id_key,
drop constraint promotion_decision_check,
alter column training_run_id drop not null,
alter column skill drop not null,
alter column p_value_over_baseline drop not null,
add column registered_model text,
add column target text check (target in ('log_return', 'volatility')),
add column baseline text,
add column tries integer check (tries > 0),
add column p_value_adjusted float8 check (p_value_adjusted between 0 and 1),
add column decided_by text;
update ml.promotion as p set
    registered_model = t.registered_model,
    target = t.target,
    baseline = t.baseline,
    tries = t.tries,
    p_value_adjusted = t.p_value_adjusted
from ml.training_run as t
where t.training_run_id = p.training_run_id;
alter table ml.promotion enable trigger promotion_is_sealed;
alter table ml.promotion
alter column registered_model set not null,
alter column target set not null,
add constraint promotion_decision_check check (
    decision in ('promoted', 'kept', 'retired', 'naive', 'rolled_back')
),
add constraint promotion_rests_on_figures check (
    decision = 'rolled_back'
    or num_nulls(training_run_id, skill, p_value_over_baseline, baseline, tries, p_value_adjusted) = 0
),
add constraint promotion_rollback_names_who check ((decision = 'rolled_back') = (decided_by is not null));
create unique index promotion_of_training on ml.promotion (training_run_id) where decision <> 'rolled_back';
create index promotion_of_model on ml.promotion (registered_model, promotion_id);
comment on column ml.promotion.champion_after is 'Version that serves from then on; NULL: the baseline serves.';
comment on column ml.promotion.training_run_id is 'For rolled_back: of the version that serves from then on, if any.';
comment on column ml.promotion.decided_by is 'Who rolled back; NULL: the rules, in a training.';
