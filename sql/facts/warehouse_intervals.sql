-- Share of outcomes within the intervals of the models served, from 10 days on; of markets with one symbol the lowest.
-- No parameters.
select
    i.symbol,
    k.horizon_bars::text as horizon,
    k.target,
    p.width as of_interval,
    min(p.share) as forecast_coverage_ratio
from ops.served_skill as k
inner join market.instrument as i using (instrument_id)
cross join lateral (values ('80', k.interval_coverage), ('95', k.interval_coverage_95)) as p (width, share)
where k.days >= 10 and p.share is not null
group by i.symbol, k.horizon_bars, k.target, p.width
order by i.symbol, k.horizon_bars, k.target, p.width
