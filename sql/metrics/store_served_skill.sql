-- Brings ops.served_skill in line with the scoreboard; rows that stay as they are are not written. No parameters.
with served as (
    -- The model that was served last; a line of the scoreboard exists per version.
    select distinct on (i.instrument_id, s.timeframe, s.horizon_bars, s.target)
        i.instrument_id,
        s.timeframe,
        s.horizon_bars,
        s.target,
        s.days,
        s.skill,
        s.skill_upper,
        s.interval_coverage,
        s.interval_coverage_95
    from ml.scoreboard as s
    inner join market.instrument as i on s.venue = i.venue and s.symbol = i.symbol
    where s.baseline in ('random_walk', 'ewma') and s.time_window = '90 days'
    order by i.instrument_id asc, s.timeframe asc, s.horizon_bars asc, s.target asc, s.last_target_at desc
),

gone as (
    delete from ops.served_skill as k
    where not exists (
        select from served as s
        where
            s.instrument_id = k.instrument_id and s.timeframe = k.timeframe
            and s.horizon_bars = k.horizon_bars and s.target = k.target
    )
)

insert into ops.served_skill as k
select * from served
on conflict (instrument_id, timeframe, horizon_bars, target) do update
set
    days = excluded.days,
    skill = excluded.skill,
    skill_upper = excluded.skill_upper,
    interval_coverage = excluded.interval_coverage,
    interval_coverage_95 = excluded.interval_coverage_95
where
    (k.days, k.skill, k.skill_upper, k.interval_coverage, k.interval_coverage_95)
    is distinct from (
        excluded.days, excluded.skill, excluded.skill_upper, excluded.interval_coverage, excluded.interval_coverage_95
    )
