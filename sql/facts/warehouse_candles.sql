-- The newest candle of each series: one look into the primary key per series. No parameters.
select
    i.venue,
    i.symbol,
    t.timeframe::text as timeframe,
    extract(epoch from newest.opened_at + market.step(t.timeframe))::float8 as candle_newest_close_timestamp_seconds
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
order by i.venue, i.symbol, t.timeframe
