-- First and last open time of a series, NULL where it has no candle, and the end of what was dropped after archival
-- (the first open time after the newest dropped candle; NULL where nothing was). Parameters: instrument_id, timeframe.
select
    min(c.opened_at) as first_opened_at,
    max(c.opened_at) as last_opened_at,
    (
        select max(m.last_opened_at) + market.step(%(timeframe)s::market.timeframe)
        from ops.archive_manifest as m
        where
            m.instrument_id = %(instrument_id)s
            and m.timeframe = %(timeframe)s::market.timeframe
            and m.dropped_at is not null
    ) as kept_from
from market.candle as c
where c.instrument_id = %(instrument_id)s and c.timeframe = %(timeframe)s::market.timeframe
