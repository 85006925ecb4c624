-- When each series was last brought up to date, as gauges: metric name, its labels, and Unix seconds. No parameters.
select
    'crypto.candle.newest_close_timestamp_seconds' as metric,
    jsonb_build_object('venue', i.venue, 'symbol', i.symbol, 'timeframe', c.timeframe) as labels,
    extract(epoch from max(c.opened_at) + market.step(c.timeframe))::float8 as value
from market.candle as c
inner join market.instrument as i using (instrument_id)
group by i.venue, i.symbol, c.timeframe
union all
select
    'crypto.feature.newest_close_timestamp_seconds',
    jsonb_build_object('venue', i.venue, 'symbol', i.symbol, 'timeframe', f.timeframe),
    extract(epoch from max(f.opened_at) + market.step(f.timeframe))::float8
from features.candle_feature as f
inner join market.instrument as i using (instrument_id)
group by i.venue, i.symbol, f.timeframe
union all
select
    'crypto.ticker.newest_timestamp_seconds',
    jsonb_build_object('venue', i.venue, 'symbol', i.symbol),
    extract(epoch from max(t.observed_at))::float8
from market.ticker as t
inner join market.instrument as i using (instrument_id)
group by i.venue, i.symbol
union all
select
    'crypto.sentiment.newest_timestamp_seconds',
    '{}'::jsonb,
    extract(epoch from max(published_at))::float8
from market.fear_greed
having count(*) > 0
union all
select
    'crypto.forecast.newest_target_timestamp_seconds',
    jsonb_build_object('symbol', i.symbol, 'horizon', f.horizon_bars),
    extract(epoch from max(f.target_at))::float8
from ml.forecast as f
inner join market.instrument as i using (instrument_id)
group by i.symbol, f.horizon_bars
union all
select
    'crypto.forecast.skill_ratio',
    jsonb_build_object('symbol', i.symbol, 'horizon', f.horizon_bars),
    (1 - avg(s.absolute_error) / nullif(avg(s.naive_absolute_error), 0))::float8
from ml.forecast_score as s
inner join ml.forecast as f using (forecast_id)
inner join market.instrument as i using (instrument_id)
group by i.symbol, f.horizon_bars
having avg(s.naive_absolute_error) > 0
union all
select
    'crypto.forecast.coverage_ratio',
    jsonb_build_object('symbol', i.symbol, 'horizon', f.horizon_bars),
    avg(s.is_covered::integer)::float8
from ml.forecast_score as s
inner join ml.forecast as f using (forecast_id)
inner join market.instrument as i using (instrument_id)
group by i.symbol, f.horizon_bars
