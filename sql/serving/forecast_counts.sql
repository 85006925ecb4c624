-- How many forecasts of the series were sealed in a window of targets, how many should have been, and the first that
-- was not. Expected is one per bar from a series' first forecast on. Answers one row: expected, sealed, first_missing,
-- newest_target.
-- Parameters: instrument_ids, timeframes, horizons_bars (arrays: the series), starts_at, ends_at (half-open window of
-- targets), due_by (forecasts that start from a later close may still come).
with asked as (
    select
        unnest(%(instrument_ids)s::integer[]) as instrument_id,
        unnest(%(timeframes)s::market.timeframe[]) as timeframe,
        unnest(%(horizons_bars)s::integer[]) as horizon_bars
),

series as (
    select
        a.instrument_id,
        a.timeframe,
        a.horizon_bars,
        market.step(a.timeframe) as step,
        a.horizon_bars * market.step(a.timeframe) as horizon,
        (
            select min(f.as_of)
            from ml.forecast as f
            where f.instrument_id = a.instrument_id and f.timeframe = a.timeframe and f.horizon_bars = a.horizon_bars
        ) as first_as_of
    from asked as a
),

due as (
    select
        s.instrument_id,
        s.timeframe,
        s.horizon_bars,
        s.horizon,
        as_of
    from series as s
    cross join
        lateral generate_series(
            greatest(
                s.first_as_of,
                date_bin(
                    s.step, %(starts_at)s::timestamptz - s.horizon + s.step - interval '1 microsecond',
                    timestamptz '1970-01-01 00:00:00+00'
                )
            ),
            least(%(due_by)s::timestamptz, %(ends_at)s::timestamptz - s.horizon - interval '1 microsecond'),
            s.step
        ) as as_of
)

select
    count(*) as expected,
    count(f.forecast_id) as sealed,
    min(d.as_of + d.horizon) filter (where f.forecast_id is null) as first_missing,
    max(f.target_at) as newest_target
from due as d
left join ml.forecast as f using (instrument_id, timeframe, horizon_bars, as_of)
