-- The newest sealed forecast per symbol and horizon, from the unique key: one look per series, and one to find the next
-- series. No parameters.
with recursive series as (
    (
        select
            f.instrument_id,
            f.timeframe,
            f.horizon_bars
        from ml.forecast as f
        order by f.instrument_id, f.timeframe, f.horizon_bars
        limit 1
    )
    union all
    select
        following.instrument_id,
        following.timeframe,
        following.horizon_bars
    from series as s
    cross join lateral (
        select
            f.instrument_id,
            f.timeframe,
            f.horizon_bars
        from ml.forecast as f
        where (f.instrument_id, f.timeframe, f.horizon_bars) > (s.instrument_id, s.timeframe, s.horizon_bars)
        order by f.instrument_id, f.timeframe, f.horizon_bars
        limit 1
    ) as following
)

select
    i.symbol,
    s.horizon_bars::text as horizon,
    extract(epoch from max(newest.target_at))::float8 as forecast_newest_target_timestamp_seconds
from series as s
inner join market.instrument as i using (instrument_id)
cross join
    lateral (
        select f.target_at
        from ml.forecast as f
        where f.instrument_id = s.instrument_id and f.timeframe = s.timeframe and f.horizon_bars = s.horizon_bars
        order by f.as_of desc
        limit 1
    ) as newest
group by i.symbol, s.horizon_bars
order by i.symbol, s.horizon_bars
