-- Months of one series whose candles left the table for the archive after known_at, oldest first.
-- Key: month. Parameters: instrument_id, timeframe, known_at. Answers months as text, e.g. 2024-05.
select to_char(m.month, 'YYYY-MM') as month
from ops.archive_manifest as m
where
    m.instrument_id = %(instrument_id)s
    and m.timeframe = %(timeframe)s::market.timeframe
    and m.dropped_at > %(known_at)s
order by m.month
