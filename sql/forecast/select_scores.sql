-- Every forecast that is scored, or could be, with its score and the closes it is about; what is not there is NULL.
-- Key: forecast_id. Parameter: grace (interval), how much older than the newest score a candle must be for its
-- forecast to be called unscored. Times are microseconds since 1970-01-01 00:00 UTC. candle_is_newer: the venue revised
-- the target's candle after it was scored. closes: of every bar from as_of to target_at where volatility was forecast,
-- as floats, NULL unless all are there; window_is_newer: one of them came or changed after the forecast was scored;
-- window_is_settled: none did within the grace. newest_target_at: of all scored forecasts.
with newest as materialized (
    select
        max(s.scored_at) as scored_at,
        extract(epoch from max(f.target_at) filter (where isfinite(f.target_at))) * 1000000 as target_at
    from ml.forecast_score as s
    inner join ml.forecast as f using (forecast_id)
)

select
    i.venue,
    i.symbol,
    f.timeframe::text as timeframe,
    f.horizon_bars,
    f.forecast_id,
    f.chain_position,
    extract(epoch from f.target_at) * 1000000 as target_at,
    extract(epoch from f.made_at) * 1000000 as made_at,
    f.as_of_price,
    f.predicted_log_return,
    f.predicted_price,
    f.lower_price,
    f.upper_price,
    f.lower_price_95,
    f.upper_price_95,
    f.model,
    f.model_version,
    f.drift_log_return,
    f.seasonal_log_return,
    f.predicted_volatility,
    f.lower_volatility,
    f.upper_volatility,
    f.lower_volatility_95,
    f.upper_volatility_95,
    f.volatility_model,
    f.volatility_model_version,
    f.ewma_volatility,
    f.har_volatility,
    c.close,
    c.recorded_at >= s.scored_at as candle_is_newer,
    w.closes,
    w.recorded_at >= s.scored_at as window_is_newer,
    w.recorded_at < n.scored_at - %(grace)s as window_is_settled,
    s.actual_price,
    s.actual_log_return,
    s.error_log_return,
    s.absolute_error,
    s.naive_absolute_error,
    s.is_covered,
    s.is_direction_right,
    s.is_covered_95,
    s.actual_volatility,
    s.is_volatility_covered,
    s.is_volatility_covered_95,
    n.target_at as newest_target_at
from ml.forecast as f
inner join market.instrument as i using (instrument_id)
cross join newest as n
left join ml.forecast_score as s using (forecast_id)
left join market.candle as c
    on
        f.instrument_id = c.instrument_id
        and f.timeframe = c.timeframe
        and c.opened_at = f.target_at - market.step(f.timeframe)
left join
    lateral (
        select
            array_agg(p.close::float8 order by p.opened_at) as closes,
            max(p.recorded_at) as recorded_at
        from market.candle as p
        where
            p.instrument_id = f.instrument_id
            and p.timeframe = f.timeframe
            and p.opened_at >= f.as_of
            and p.opened_at < f.target_at
        having count(*) = f.horizon_bars
    ) as w
    on f.predicted_volatility is not null
where
    s.forecast_id is not null
    or c.recorded_at < n.scored_at - %(grace)s
order by f.instrument_id, f.timeframe, f.horizon_bars, f.chain_position
