-- Of each kind of forecast the newest training, and the one of the version that serves where a version does; else the
-- baseline serves. Parameters: now, deadline_seconds (largest age of the newest training), venue, symbol, horizon
-- (ISO 8601; the last three NULL: all), limit.
with newest as (
    select distinct on (t.registered_model)
        t.registered_model,
        t.training_run_id,
        t.trained_at
    from ml.training_run as t
    order by t.registered_model asc, t.trained_at desc, t.training_run_id desc
),

decided as (
    select distinct on (p.registered_model)
        p.registered_model,
        p.champion_after,
        p.decision,
        p.decided_at
    from ml.promotion as p
    order by p.registered_model asc, p.promotion_id desc
)

select
    i.venue,
    i.symbol,
    t.timeframe::text as timeframe,
    t.horizon_bars * market.step(t.timeframe) as horizon,
    t.target,
    t.registered_model,
    t.model_version,
    t.training_run_id = n.training_run_id as is_newest,
    coalesce(t.model_version = d.champion_after, false) as is_serving,
    d.champion_after as serving_version,
    d.decision as newest_decision,
    d.decided_at,
    t.recipe,
    t.baseline,
    t.trained_at,
    t.known_at,
    t.training_rows,
    t.training_starts_at,
    t.training_ends_at,
    t.test_rows,
    t.folds,
    t.tries,
    t.skill,
    t.p_value_over_baseline,
    t.p_value_adjusted,
    t.interval_coverage,
    t.interval_coverage_95,
    t.mlflow_run_id,
    t.model_sha256,
    t.dataset_sha256,
    extract(epoch from %(now)s - t.trained_at)::float8 as age_seconds,
    %(deadline_seconds)s::float8 as deadline_seconds,
    extract(epoch from %(now)s - n.trained_at) > %(deadline_seconds)s as is_overdue
from ml.training_run as t
inner join newest as n using (registered_model)
inner join market.instrument as i using (instrument_id)
left join decided as d using (registered_model)
where
    (t.training_run_id = n.training_run_id or t.model_version = d.champion_after)
    and (%(venue)s::text is null or i.venue = %(venue)s)
    and (%(symbol)s::text is null or i.symbol = %(symbol)s)
    and (%(horizon)s::interval is null or t.horizon_bars * market.step(t.timeframe) = %(horizon)s::interval)
order by i.venue, i.symbol, t.timeframe, t.horizon_bars, t.target, t.trained_at
limit %(limit)s
