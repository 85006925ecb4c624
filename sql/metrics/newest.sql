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
    m.metric,
    jsonb_build_object('symbol', b.symbol, 'horizon', b.horizon_bars, 'target', b.target) || m.label,
    m.value
from (
    -- The model that was served last; a line of the scoreboard exists per version.
    select distinct on (s.venue, s.symbol, s.timeframe, s.horizon_bars, s.target) s.*
    from ml.scoreboard as s
    where s.baseline in ('random_walk', 'ewma') and s.time_window = '90 days'
    order by s.venue asc, s.symbol asc, s.timeframe asc, s.horizon_bars asc, s.target asc, s.last_target_at desc
) as b
cross join
    lateral (
        values
        ('crypto.forecast.skill_ratio', '{}'::jsonb, b.skill),
        ('crypto.forecast.skill_upper_ratio', '{}'::jsonb, b.skill_upper),
        ('crypto.forecast.coverage_ratio', '{"interval": "80"}', b.interval_coverage),
        ('crypto.forecast.coverage_ratio', '{"interval": "95"}', b.interval_coverage_95)
    ) as m (metric, label, value)
where m.value is not null and (b.days >= 10 or m.metric <> 'crypto.forecast.coverage_ratio')
