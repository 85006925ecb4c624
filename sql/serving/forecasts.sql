-- Sealed forecasts and what became of them, as the view predictions has them, by target.
-- Parameters: instrument_ids, timeframes, horizons_bars (arrays: the series), starts_at, ends_at (half-open window of
-- targets), after_timestamp, after_venue, after_symbol, after_horizon, limit.
with asked as (
    select
        unnest(%(instrument_ids)s::integer[]) as instrument_id,
        unnest(%(timeframes)s::market.timeframe[]) as timeframe,
        unnest(%(horizons_bars)s::integer[]) as horizon_bars
)

select
    i.base as crypto,
    f.target_at as timestamp,
    f.horizon_bars * market.step(f.timeframe) as horizon,
    f.timeframe::text as timeframe,
    f.predicted_price,
    f.lower_price,
    f.upper_price,
    f.coverage,
    f.model,
    f.model_version,
    f.is_naive,
    f.made_at,
    f.as_of,
    f.as_of_price,
    o.actual_price,
    i.venue,
    i.symbol,
    f.lower_price_95,
    f.upper_price_95,
    f.up_probability,
    f.made_at - f.model_trained_until as model_age,
    f.predicted_volatility,
    f.lower_volatility,
    f.upper_volatility,
    f.lower_volatility_95,
    f.upper_volatility_95,
    o.actual_volatility,
    f.volatility_model,
    f.volatility_model_version,
    f.volatility_model = 'har' as is_volatility_baseline,
    f.made_at - f.volatility_trained_until as volatility_model_age
from asked as s
inner join market.instrument as i using (instrument_id)
inner join ml.forecast as f
    on
        s.instrument_id = f.instrument_id and s.timeframe = f.timeframe and s.horizon_bars = f.horizon_bars
        and f.as_of >= %(starts_at)s - s.horizon_bars * market.step(s.timeframe)
        and f.as_of < %(ends_at)s - s.horizon_bars * market.step(s.timeframe)
left join ml.forecast_score as o using (forecast_id)
where
    %(after_timestamp)s::timestamptz is null
    or (f.target_at, i.venue, i.symbol, f.horizon_bars * market.step(f.timeframe))
    > (%(after_timestamp)s::timestamptz, %(after_venue)s::text, %(after_symbol)s::text, %(after_horizon)s::interval)
order by f.target_at, i.venue, i.symbol, f.horizon_bars * market.step(f.timeframe)
limit %(limit)s
