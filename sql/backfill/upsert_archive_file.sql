-- Notes what came of asking for a published file. Key: venue, name.
-- Parameters: the columns. A version's values stay where none was read this time (sha256 NULL); first_checked_at begins
-- anew with each version.
insert into ops.archive_file (
    venue, name, instrument_id, timeframe, starts_at, ends_at, sha256, etag, last_modified, row_count,
    first_checked_at, checked_at, verdict
)
values (
    %(venue)s, %(name)s, %(instrument_id)s, %(timeframe)s::market.timeframe, %(starts_at)s, %(ends_at)s, %(sha256)s,
    %(etag)s, %(last_modified)s, %(row_count)s, %(checked_at)s, %(checked_at)s, %(verdict)s
)
on conflict (venue, name) do update set
    instrument_id = excluded.instrument_id,
    sha256 = coalesce(excluded.sha256, ops.archive_file.sha256),
    etag = case when excluded.sha256 is null then ops.archive_file.etag else excluded.etag end,
    last_modified = case
        when excluded.sha256 is null then ops.archive_file.last_modified else excluded.last_modified
    end,
    row_count = coalesce(excluded.row_count, ops.archive_file.row_count),
    first_checked_at = case
        when ops.archive_file.sha256 is distinct from coalesce(excluded.sha256, ops.archive_file.sha256)
            then excluded.checked_at
        else ops.archive_file.first_checked_at
    end,
    checked_at = greatest(excluded.checked_at, ops.archive_file.checked_at),
    verdict = excluded.verdict
