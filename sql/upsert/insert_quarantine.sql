-- Keeps rejected rows once: those whose fingerprint is known are passed over. Key: fingerprint.
-- Parameters: dataset, source, request, instrument_id, timeframe, recorded_at, and the arrays fingerprints,
-- opened_ats, reasons, raws (one element per row). Answers the rows that were not known.
insert into market.quarantine (
    fingerprint, recorded_at, dataset, source, request, instrument_id, timeframe, opened_at, reason, raw
)
select
    given.fingerprint, %(recorded_at)s, %(dataset)s, %(source)s, %(request)s, %(instrument_id)s,
    %(timeframe)s::market.timeframe, given.opened_at, given.reason, given.raw
from
    unnest(
        %(fingerprints)s::bytea[], %(opened_ats)s::timestamptz[], %(reasons)s::text[], %(raws)s::text[]
    ) as given (fingerprint, opened_at, reason, raw)
where not exists (select from market.quarantine as q where q.fingerprint = given.fingerprint)
on conflict (fingerprint) do nothing
