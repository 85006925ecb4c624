-- The manifest of a month, if there is one. Parameters: instrument_id, timeframe, month.
select
    instrument_id, timeframe::text, month, path, row_count, first_opened_at, last_opened_at,
    file_sha256, content_sha256, archived_at, dropped_at
from ops.archive_manifest
where instrument_id = %(instrument_id)s and timeframe = %(timeframe)s::market.timeframe and month = %(month)s
