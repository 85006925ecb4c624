-- Score every sealed forecast whose target candle is known; again only where that candle was revised.
-- Key: forecast_id. Parameters: now (targets up to then). Returns how many scores are new, and how many changed.
with outcome as (
    select
        f.forecast_id,
        f.predicted_log_return,
        c.close as actual_price,
        ln((c.close / f.as_of_price)::float8) as actual_log_return,
        abs(c.close - f.predicted_price) as absolute_error,
        abs(c.close - f.as_of_price) as naive_absolute_error,
        c.close between f.lower_price and f.upper_price as is_covered
    from ml.forecast as f
    inner join market.candle as c
        on
            f.instrument_id = c.instrument_id
            and f.timeframe = c.timeframe
            and c.opened_at = f.target_at - market.step(f.timeframe)
    where f.target_at <= %(now)s
),

written as (
    insert into ml.forecast_score (
        forecast_id, scored_at, actual_price, actual_log_return, error_log_return,
        absolute_error, naive_absolute_error, is_covered, is_direction_right
    )
    select
        o.forecast_id,
        %(now)s,
        o.actual_price,
        o.actual_log_return,
        o.actual_log_return - o.predicted_log_return,
        o.absolute_error,
        o.naive_absolute_error,
        o.is_covered,
        sign(nullif(o.predicted_log_return, 0)) = sign(nullif(o.actual_log_return, 0))
    from outcome as o
    left join ml.forecast_score as s using (forecast_id)
    where s.actual_price is distinct from o.actual_price
    on conflict (forecast_id) do update
        set
            scored_at = excluded.scored_at,
            actual_price = excluded.actual_price,
            actual_log_return = excluded.actual_log_return,
            error_log_return = excluded.error_log_return,
            absolute_error = excluded.absolute_error,
            naive_absolute_error = excluded.naive_absolute_error,
            is_covered = excluded.is_covered,
            is_direction_right = excluded.is_direction_right
    returning (xmax = 0) as is_new
)

select
    count(*) filter (where is_new) as new,
    count(*) filter (where not is_new) as changed
from written
