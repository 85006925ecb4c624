-- The newest decisions who serves, with the figures they rest on. Parameters: most (rows).
select
    p.decided_at,
    p.registered_model,
    p.decision,
    t.recipe,
    p.baseline,
    p.skill,
    p.p_value_over_baseline,
    p.tries,
    p.p_value_adjusted,
    t.test_rows,
    p.p_value_over_champion,
    p.champion_before,
    p.champion_after,
    p.decided_by,
    p.reason
from ml.promotion as p
left join ml.training_run as t using (training_run_id)
order by p.decided_at desc, p.promotion_id desc
limit %(most)s
