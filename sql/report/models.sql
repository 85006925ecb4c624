-- The newest training of each market and horizon against the naive forecast, and who serves. No parameters.
select distinct on (i.venue, i.symbol, t.horizon_bars)
    i.venue || ' ' || i.symbol as market,
    t.horizon_bars,
    t.skill,
    t.p_value_over_naive,
    t.direction_accuracy,
    t.direction_lower,
    t.direction_upper,
    t.interval_coverage,
    p.decision,
    p.champion_after
from ml.training_run as t
inner join ml.promotion as p using (training_run_id)
inner join market.instrument as i using (instrument_id)
order by i.venue asc, i.symbol asc, t.horizon_bars asc, t.trained_at desc, t.training_run_id desc
