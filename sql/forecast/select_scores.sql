-- Every forecast that is scored, or could be, with its score and the close it is about; what is not there is NULL.
-- Key: forecast_id. Parameter: grace (interval), how much older than the newest score a candle must be for its
-- forecast to be called unscored. Times are microseconds since 1970-01-01 00:00 UTC; candle_is_newer: the venue
-- revised the candle after it was scored.
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
    f.coverage,
    f.model,
    f.model_version,
    c.close,
    c.recorded_at >= s.scored_at as candle_is_newer,
    s.actual_price,
    s.actual_log_return,
    s.error_log_return,
    s.absolute_error,
    s.naive_absolute_error,
    s.is_covered,
    s.is_direction_right
from ml.forecast as f
inner join market.instrument as i using (instrument_id)
left join ml.forecast_score as s using (forecast_id)
left join market.candle as c
    on
        f.instrument_id = c.instrument_id
        and f.timeframe = c.timeframe
        and c.opened_at = f.target_at - market.step(f.timeframe)
where
    s.forecast_id is not null
    or c.recorded_at < (select max(n.scored_at) from ml.forecast_score as n) - %(grace)s
order by f.instrument_id, f.timeframe, f.horizon_bars, f.chain_position
