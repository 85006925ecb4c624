-- The newest closed candle of one series that has features: its close time and its exact close.
-- Key: opened_at. Parameters: instrument_id, timeframe, now (only what had closed by then).
select
    c.opened_at + market.step(c.timeframe) as as_of,
    c.close
from features.candle_feature as f
inner join market.candle as c using (instrument_id, timeframe, opened_at)
where
    f.instrument_id = %(instrument_id)s
    and f.timeframe = %(timeframe)s::market.timeframe
    and f.opened_at <= %(now)s - market.step(%(timeframe)s::market.timeframe)
order by f.opened_at desc
limit 1
