-- Sealed forecasts of the last %(days)s days before the newest target, with what became of them; prices and
-- volatilities as floats, shares as 0 or 1. A row per forecast, by series and target.
select
    i.venue,
    i.symbol,
    f.timeframe::text as timeframe,
    f.horizon_bars,
    f.target_at,
    f.as_of_price::float8 as as_of_price,
    f.predicted_price::float8 as predicted_price,
    f.lower_price::float8 as lower_price,
    f.upper_price::float8 as upper_price,
    f.lower_price_95::float8 as lower_price_95,
    f.upper_price_95::float8 as upper_price_95,
    f.up_probability,
    f.predicted_log_return,
    f.drift_log_return,
    f.seasonal_log_return,
    f.model,
    f.model_version,
    f.predicted_volatility,
    f.lower_volatility,
    f.upper_volatility,
    f.lower_volatility_95,
    f.upper_volatility_95,
    f.volatility_model,
    f.volatility_model_version,
    f.ewma_volatility,
    f.har_volatility,
    s.actual_price::float8 as actual_price,
    s.actual_log_return,
    s.is_covered::integer::float8 as is_covered,
    s.is_covered_95::integer::float8 as is_covered_95,
    s.actual_volatility,
    s.is_volatility_covered::integer::float8 as is_volatility_covered,
    s.is_volatility_covered_95::integer::float8 as is_volatility_covered_95
from ml.forecast as f
inner join market.instrument as i using (instrument_id)
left join ml.forecast_score as s using (forecast_id)
where
    isfinite(f.target_at)
    and f.target_at
    > (select max(n.target_at) from ml.forecast as n where isfinite(n.target_at)) - %(days)s * interval '1 day'
order by i.venue asc, i.symbol asc, f.timeframe asc, f.horizon_bars asc, f.target_at asc, f.forecast_id asc
