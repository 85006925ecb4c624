-- Notes a verified archive file, or that it was written anew. Key: instrument_id, timeframe, month.
-- Parameters: those named below.
insert into ops.archive_manifest (
    instrument_id, timeframe, month, path, row_count, first_opened_at, last_opened_at,
    file_sha256, content_sha256, archived_at, schema_version
)
values (
    %(instrument_id)s, %(timeframe)s, %(month)s, %(path)s, %(row_count)s, %(first_at)s, %(last_at)s,
    %(file_sha256)s, %(content_sha256)s, %(archived_at)s, %(schema_version)s
)
on conflict (instrument_id, timeframe, month) do update set
    path = excluded.path,
    row_count = excluded.row_count,
    first_opened_at = excluded.first_opened_at,
    last_opened_at = excluded.last_opened_at,
    file_sha256 = excluded.file_sha256,
    content_sha256 = excluded.content_sha256,
    archived_at = excluded.archived_at,
    dropped_at = null,
    schema_version = excluded.schema_version
