-- How sealed forecasts have done against each baseline, per model version. Parameters: time_window, venue, symbol,
-- horizon (ISO 8601; the last three NULL: all), limit.
select
    s.venue,
    s.symbol,
    s.timeframe::text as timeframe,
    s.horizon_bars * market.step(s.timeframe) as horizon,
    s.target,
    s.model,
    s.model_version,
    s.baseline,
    s.time_window,
    s.forecasts,
    s.days,
    s.loss,
    s.baseline_loss,
    s.skill,
    s.skill_lower,
    s.skill_upper,
    s.mae,
    s.direction_accuracy,
    s.interval_coverage,
    s.interval_coverage_95,
    s.first_target_at,
    s.last_target_at
from ml.scoreboard as s
where
    s.time_window = %(time_window)s
    and (%(venue)s::text is null or s.venue = %(venue)s)
    and (%(symbol)s::text is null or s.symbol = %(symbol)s)
    and (%(horizon)s::interval is null or s.horizon_bars * market.step(s.timeframe) = %(horizon)s::interval)
order by s.target, s.venue, s.symbol, s.timeframe, s.horizon_bars, s.model, s.model_version, s.baseline
limit %(limit)s
