-- Every decision who serves, the newest first, with the figures it rests on. A rollback to the baseline has no training
-- of its own: its market is that of the model's others.
-- Parameters: venue, symbol, horizon (ISO 8601; NULL: all), after_promotion_id, limit.
select
    p.promotion_id,
    p.decided_at,
    i.venue,
    i.symbol,
    k.timeframe::text as timeframe,
    k.horizon_bars * market.step(k.timeframe) as horizon,
    p.target,
    p.registered_model,
    p.decision,
    p.reason,
    p.champion_before,
    p.champion_after,
    t.recipe,
    p.baseline,
    p.skill,
    p.p_value_over_baseline,
    p.tries,
    p.p_value_adjusted,
    p.champion_skill,
    p.p_value_over_champion,
    t.test_rows,
    t.folds,
    t.test_starts_at,
    t.test_ends_at,
    t.mlflow_run_id,
    p.decided_by
from ml.promotion as p
left join ml.training_run as t using (training_run_id)
left join lateral (
    select
        o.instrument_id,
        o.timeframe,
        o.horizon_bars
    from ml.training_run as o
    where o.registered_model = p.registered_model
    order by o.training_run_id
    limit 1
) as k on true
left join market.instrument as i on k.instrument_id = i.instrument_id
where
    (%(venue)s::text is null or i.venue = %(venue)s)
    and (%(symbol)s::text is null or i.symbol = %(symbol)s)
    and (%(horizon)s::interval is null or k.horizon_bars * market.step(k.timeframe) = %(horizon)s::interval)
    and (%(after_promotion_id)s::bigint is null or p.promotion_id < %(after_promotion_id)s)
order by p.promotion_id desc
limit %(limit)s
