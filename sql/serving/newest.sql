-- The newest of each dataset and subject, one look into a key for each: when it is of, and for features, which are
-- measured against it, the newest candle's close. No parameters.
with recursive {% include 'serving/walk_forecast_series.jinja' %}

candles as (
    select
        i.instrument_id,
        i.venue,
        i.symbol,
        t.timeframe,
        newest.opened_at + market.step(t.timeframe) as closed_at
    from market.instrument as i
    cross join unnest(enum_range(null::market.timeframe)) as t (timeframe)
    cross join
        lateral (
            select c.opened_at
            from market.candle as c
            where c.instrument_id = i.instrument_id and c.timeframe = t.timeframe
            order by c.opened_at desc
            limit 1
        ) as newest
)

select
    'candles' as dataset,
    c.venue,
    c.symbol,
    c.timeframe::text as detail,
    c.closed_at as newest_at,
    null::timestamptz as candle_at
from candles as c
union all
select
    'features',
    c.venue,
    c.symbol,
    c.timeframe::text,
    newest.opened_at + market.step(c.timeframe),
    c.closed_at
from candles as c
cross join
    lateral (
        select f.opened_at
        from features.candle_feature as f
        where f.instrument_id = c.instrument_id and f.timeframe = c.timeframe
        order by f.opened_at desc
        limit 1
    ) as newest
union all
select
    'tickers',
    i.venue,
    i.symbol,
    null,
    newest.observed_at,
    null
from market.instrument as i
cross join
    lateral (
        select t.observed_at
        from market.ticker as t
        where t.instrument_id = i.instrument_id
        order by t.observed_at desc
        limit 1
    ) as newest
union all
select
    'sentiment',
    null,
    null,
    null,
    f.published_at,
    null
from market.fear_greed as f
where f.day = (select max(n.day) from market.fear_greed as n)
union all
select
    'rankings',
    null,
    null,
    null,
    max(r.day)::timestamp at time zone 'UTC',
    null
from mart.daily_ranking as r
having count(*) > 0
union all
select
    'forecasts',
    i.venue,
    i.symbol,
    (s.horizon_bars * market.step(s.timeframe))::text,
    newest.as_of,
    null
from forecast_series as s
inner join market.instrument as i using (instrument_id)
cross join
    lateral (
        select f.as_of
        from ml.forecast as f
        where f.instrument_id = s.instrument_id and f.timeframe = s.timeframe and f.horizon_bars = s.horizon_bars
        order by f.as_of desc
        limit 1
    ) as newest
union all
select
    'models',
    i.venue,
    i.symbol,
    t.target || ' ' || (t.horizon_bars * market.step(t.timeframe))::text,
    max(t.trained_at),
    null
from ml.training_run as t
inner join market.instrument as i using (instrument_id)
group by i.venue, i.symbol, t.target, t.horizon_bars, t.timeframe
