-- Notes when the table let go of an archived month, or (NULL) that it holds it again.
-- Parameters: instrument_id, month, dropped_at.
update ops.ticker_manifest
set dropped_at = %(dropped_at)s
where instrument_id = %(instrument_id)s and month = %(month)s
