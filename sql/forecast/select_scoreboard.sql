-- The scoreboard as it is served. Key: all but the figures. No parameters.
select
    b.venue,
    b.symbol,
    b.timeframe::text as timeframe,
    b.horizon_bars,
    b.model,
    b.model_version,
    b.forecasts,
    b.mae,
    b.naive_mae,
    b.skill,
    b.direction_accuracy,
    b.interval_coverage,
    b.nominal_coverage
from ml.scoreboard as b
