-- Score every sealed forecast whose target candle is known; again where a candle of its window was revised.
-- Key: forecast_id. Parameters: now (targets up to then); margin (interval): candles recorded less than that before the
-- newest score, or since, are looked at again, as the transaction that wrote them may have ended later.
-- Returns how many scores are new, and how many changed.
with series as (
    select
        f.instrument_id,
        f.timeframe,
        min(f.as_of) as first_as_of
    from ml.forecast as f
    group by f.instrument_id, f.timeframe
),

recent as materialized (
    select
        c.instrument_id,
        c.timeframe,
        c.opened_at + market.step(c.timeframe) as closed_at
    from series as k
    inner join market.candle as c
        on
            k.instrument_id = c.instrument_id
            and k.timeframe = c.timeframe
            and k.first_as_of <= c.opened_at
    where c.recorded_at >= (select max(s.scored_at) from ml.forecast_score as s) - %(margin)s
),

due as (
    select f.forecast_id
    from ml.forecast as f
    left join ml.forecast_score as s using (forecast_id)
    where f.target_at <= %(now)s and s.forecast_id is null
    union
    select f.forecast_id
    from recent as r
    inner join ml.forecast as f
        on
            r.instrument_id = f.instrument_id
            and r.timeframe = f.timeframe
            and r.closed_at > f.as_of
            and r.closed_at <= f.target_at
    where f.target_at <= %(now)s
),

outcome as (
    select
        f.forecast_id,
        f.predicted_log_return,
        c.close as actual_price,
        ln((c.close / f.as_of_price)::float8) as actual_log_return,
        abs(c.close - f.predicted_price) as absolute_error,
        abs(c.close - f.as_of_price) as naive_absolute_error,
        c.close between f.lower_price and f.upper_price as is_covered,
        c.close between f.lower_price_95 and f.upper_price_95 as is_covered_95,
        v.volatility as actual_volatility,
        v.volatility between f.lower_volatility and f.upper_volatility as is_volatility_covered,
        v.volatility between f.lower_volatility_95 and f.upper_volatility_95 as is_volatility_covered_95
    from ml.forecast as f
    inner join market.candle as c
        on
            f.instrument_id = c.instrument_id
            and f.timeframe = c.timeframe
            and c.opened_at = f.target_at - market.step(f.timeframe)
    left join
        lateral (
            -- In time order, so that the same closes give the same bits.
            select sqrt(sum(w.change ^ 2 order by w.opened_at)) as volatility
            from (
                select
                    p.opened_at,
                    ln((p.close / lag(p.close, 1, f.as_of_price) over (order by p.opened_at))::float8) as change
                from market.candle as p
                where
                    p.instrument_id = f.instrument_id
                    and p.timeframe = f.timeframe
                    and p.opened_at >= f.as_of
                    and p.opened_at < f.target_at
            ) as w
            having count(*) = f.horizon_bars
        ) as v
        on f.predicted_volatility is not null
    where f.forecast_id in (select d.forecast_id from due as d)
),

written as (
    insert into ml.forecast_score (
        forecast_id, scored_at, actual_price, actual_log_return, error_log_return,
        absolute_error, naive_absolute_error, is_covered, is_direction_right, is_covered_95,
        actual_volatility, is_volatility_covered, is_volatility_covered_95
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
        sign(nullif(o.predicted_log_return, 0)) = sign(nullif(o.actual_log_return, 0)),
        o.is_covered_95,
        o.actual_volatility,
        o.is_volatility_covered,
        o.is_volatility_covered_95
    from outcome as o
    left join ml.forecast_score as s using (forecast_id)
    where
        s.actual_price is distinct from o.actual_price
        -- A candle that has been archived since takes nothing away.
        or (o.actual_volatility is not null and s.actual_volatility is distinct from o.actual_volatility)
    on conflict (forecast_id) do update
        set
            scored_at = excluded.scored_at,
            actual_price = excluded.actual_price,
            actual_log_return = excluded.actual_log_return,
            error_log_return = excluded.error_log_return,
            absolute_error = excluded.absolute_error,
            naive_absolute_error = excluded.naive_absolute_error,
            is_covered = excluded.is_covered,
            is_direction_right = excluded.is_direction_right,
            is_covered_95 = excluded.is_covered_95,
            actual_volatility = coalesce(excluded.actual_volatility, forecast_score.actual_volatility),
            is_volatility_covered = coalesce(excluded.is_volatility_covered, forecast_score.is_volatility_covered),
            is_volatility_covered_95
            = coalesce(excluded.is_volatility_covered_95, forecast_score.is_volatility_covered_95)
    returning (xmax = 0) as is_new
)

select
    count(*) filter (where is_new) as new,
    count(*) filter (where not is_new) as changed
from written
