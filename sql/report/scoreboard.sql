-- Live skill of every model against each baseline, by window, the shortest first. No parameters.
select
    s.venue,
    s.symbol,
    s.horizon_bars,
    s.target,
    s.model,
    s.model_version,
    s.baseline,
    s.time_window,
    s.forecasts,
    s.days,
    s.skill,
    s.skill_lower,
    s.skill_upper,
    s.direction_accuracy,
    s.interval_coverage,
    s.interval_coverage_95
from ml.scoreboard as s
order by
    s.target asc,
    s.venue asc,
    s.symbol asc,
    s.horizon_bars asc,
    s.model asc,
    s.model_version asc,
    s.baseline asc,
    array_position(array['7 days', '30 days', '90 days', 'all'], s.time_window) asc
