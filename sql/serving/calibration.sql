-- Share of outcomes within the intervals that were meant to hold a nominal share of them, by series and target, with
-- Wilson's interval of 95 in 100, which takes outcomes for independent of each other: those of days overlap.
-- Parameters: days (back from the newest scored target; NULL: all), venue, symbol, horizon (ISO 8601; NULL: all),
-- limit.
with scored as (
    select
        f.instrument_id,
        f.timeframe,
        f.horizon_bars,
        f.target_at,
        f.coverage,
        s.is_covered,
        s.is_covered_95,
        s.is_volatility_covered,
        s.is_volatility_covered_95,
        max(f.target_at) over () as newest_at
    from ml.forecast_score as s
    inner join ml.forecast as f using (forecast_id)
    where isfinite(f.target_at)
),

counted as (
    select
        s.instrument_id,
        s.timeframe,
        s.horizon_bars,
        p.target,
        p.nominal,
        count(*) as forecasts,
        count(*) filter (where p.is_inside) / count(*)::float8 as inside
    from scored as s
    cross join
        lateral (
            values
            ('log_return', s.coverage, s.is_covered),
            ('log_return', 0.95, s.is_covered_95),
            ('volatility', s.coverage, s.is_volatility_covered),
            ('volatility', 0.95, s.is_volatility_covered_95)
        ) as p (target, nominal, is_inside)
    where
        p.is_inside is not null
        and (%(days)s::integer is null or s.target_at > s.newest_at - %(days)s::integer * interval '24 hours')
    group by s.instrument_id, s.timeframe, s.horizon_bars, p.target, p.nominal
)

select
    i.venue,
    i.symbol,
    c.timeframe::text as timeframe,
    c.horizon_bars * market.step(c.timeframe) as horizon,
    c.target,
    c.nominal,
    c.inside,
    (w.middle - w.half) / w.whole as inside_lower,
    (w.middle + w.half) / w.whole as inside_upper,
    c.forecasts
from counted as c
inner join market.instrument as i using (instrument_id)
cross join
    lateral (
        values (
            c.inside + 1.9208 / c.forecasts,
            1.96 * sqrt(c.inside * (1 - c.inside) / c.forecasts + 0.9604 / c.forecasts ^ 2),
            1 + 3.8416 / c.forecasts
        )
    ) as w (middle, half, whole)
where
    (%(venue)s::text is null or i.venue = %(venue)s)
    and (%(symbol)s::text is null or i.symbol = %(symbol)s)
    and (%(horizon)s::interval is null or c.horizon_bars * market.step(c.timeframe) = %(horizon)s::interval)
order by i.venue, i.symbol, c.timeframe, c.horizon_bars, c.target, c.nominal
limit %(limit)s
