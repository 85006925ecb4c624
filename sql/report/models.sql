-- The newest training of each market and kind of forecast against its best baseline, and who serves. No parameters.
-- Champions that a rollback set since then count: it is the newest decision on the model that says who serves.
select distinct on (i.venue, i.symbol, t.target, t.horizon_bars)
    i.venue || ' ' || i.symbol as market,
    t.target,
    t.horizon_bars,
    t.recipe,
    t.baseline,
    t.skill,
    t.tries,
    t.p_value_adjusted,
    t.direction_accuracy,
    t.direction_lower,
    t.direction_upper,
    t.interval_coverage,
    t.interval_coverage_95,
    n.decision,
    n.champion_after
from ml.training_run as t
inner join market.instrument as i using (instrument_id)
cross join
    lateral (
        select
            p.decision,
            p.champion_after
        from ml.promotion as p
        where p.registered_model = t.registered_model
        order by p.promotion_id desc
        limit 1
    ) as n
order by
    i.venue asc, i.symbol asc, t.target asc, t.horizon_bars asc, t.trained_at desc, t.training_run_id desc
