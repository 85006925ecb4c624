-- Record that somebody set who serves. Key: promotion_id. Figures are those of the version that serves from then on,
-- NULL where that is the baseline or no training of ours. Parameters: registered_model, target, decided_at, reason,
-- decided_by, champion_before, champion_after (NULL: the baseline).
with chosen as (
    select
        t.training_run_id,
        t.baseline,
        t.skill,
        t.p_value_over_baseline,
        t.tries,
        t.p_value_adjusted
    from ml.training_run as t
    where t.registered_model = %(registered_model)s and t.model_version = %(champion_after)s
    order by t.training_run_id desc
    limit 1
)

insert into ml.promotion (
    training_run_id, registered_model, target, decided_at, decision, reason, decided_by, baseline, skill,
    p_value_over_baseline, tries, p_value_adjusted, champion_before, champion_after
)
values (
    (select c.training_run_id from chosen as c),
    %(registered_model)s,
    %(target)s,
    %(decided_at)s,
    'rolled_back',
    %(reason)s,
    %(decided_by)s,
    (select c.baseline from chosen as c),
    (select c.skill from chosen as c),
    (select c.p_value_over_baseline from chosen as c),
    (select c.tries from chosen as c),
    (select c.p_value_adjusted from chosen as c),
    %(champion_before)s,
    %(champion_after)s
)
