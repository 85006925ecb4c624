-- Content hashes of the months of a series that only the archive holds. Parameters: instrument_id, timeframe.
select m.month, m.content_sha256
from ops.archive_manifest as m
where
    m.instrument_id = %(instrument_id)s and m.timeframe = %(timeframe)s::market.timeframe
    and m.dropped_at is not null
order by m.month
