-- Skill of the models served; of markets with one symbol the lowest. No parameters.
select
    i.symbol,
    k.horizon_bars::text as horizon,
    k.target,
    min(k.skill) as forecast_skill_ratio
from ops.served_skill as k
inner join market.instrument as i using (instrument_id)
where k.skill is not null
group by i.symbol, k.horizon_bars, k.target
order by i.symbol, k.horizon_bars, k.target
