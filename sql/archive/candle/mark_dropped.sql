-- Notes when the table let go of an archived month, or (NULL) that it holds it again.
-- Parameters: instrument_id, timeframe, month, dropped_at.
update ops.archive_manifest
set dropped_at = %(dropped_at)s
where instrument_id = %(instrument_id)s and timeframe = %(timeframe)s::market.timeframe and month = %(month)s
