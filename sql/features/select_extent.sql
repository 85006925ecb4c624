-- First and last open time of a series, NULL where it has no candle. Parameters: instrument_id, timeframe.
select min(c.opened_at), max(c.opened_at)
from market.candle as c
where c.instrument_id = %(instrument_id)s and c.timeframe = %(timeframe)s::market.timeframe
