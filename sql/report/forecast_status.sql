-- Whether each market and horizon has a forecast now, and why not. No parameters.
select
    f.venue,
    f.symbol,
    extract(epoch from f.horizon) / 3600 as hours,
    f.state,
    f.reason,
    f.refused_at,
    f.volatility_state,
    f.volatility_reason,
    f.made_at,
    f.timestamp as target_at,
    f.model,
    f.model_version,
    f.is_naive,
    f.model_age
from public.forecast_status as f
order by f.venue asc, f.symbol asc, f.timeframe asc, f.horizon asc
