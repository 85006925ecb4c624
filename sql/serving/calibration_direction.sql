-- How often the price rose where a rise was given a probability, in tenths of that probability.
-- Parameters: days (back from the newest scored target; NULL: all), venue, symbol, horizon (ISO 8601; NULL: all),
-- limit.
with scored as (
    select
        f.instrument_id,
        f.timeframe,
        f.horizon_bars,
        f.target_at,
        f.up_probability,
        s.actual_log_return > 0 as is_up,
        max(f.target_at) over () as newest_at
    from ml.forecast_score as s
    inner join ml.forecast as f using (forecast_id)
    where isfinite(f.target_at) and f.up_probability is not null
)

select
    i.venue,
    i.symbol,
    s.timeframe::text as timeframe,
    s.horizon_bars * market.step(s.timeframe) as horizon,
    (b.tenth - 1) / 10.0::float8 as lower,
    b.tenth / 10.0::float8 as upper,
    avg(s.up_probability) as mean_probability,
    count(*) filter (where s.is_up) / count(*)::float8 as share_up,
    count(*) as forecasts
from scored as s
inner join market.instrument as i using (instrument_id)
cross join lateral (values (least(width_bucket(s.up_probability, 0, 1, 10), 10))) as b (tenth)
where
    (%(days)s::integer is null or s.target_at > s.newest_at - %(days)s::integer * interval '24 hours')
    and (%(venue)s::text is null or i.venue = %(venue)s)
    and (%(symbol)s::text is null or i.symbol = %(symbol)s)
    and (%(horizon)s::interval is null or s.horizon_bars * market.step(s.timeframe) = %(horizon)s::interval)
group by i.venue, i.symbol, s.timeframe, s.horizon_bars, b.tenth
order by i.venue, i.symbol, s.timeframe, s.horizon_bars, b.tenth
limit %(limit)s
