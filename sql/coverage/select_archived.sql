-- Months of a series that only the archive holds. Parameters: instrument_id, timeframe.
-- Answers first and last open time and the number of candles.
select m.first_opened_at, m.last_opened_at, m.row_count
from ops.archive_manifest as m
where
    m.instrument_id = %(instrument_id)s and m.timeframe = %(timeframe)s::market.timeframe
    and m.dropped_at is not null
order by m.month
