-- The ledger of a series within a span, each range with the answer that is its evidence (NULLs: out of reach).
-- Parameters: instrument_id, timeframe, covers (a range).
select
    k.state::text,
    k.covers * %(covers)s::tstzrange as covers,
    k.reason,
    k.recorded_at,
    a.source,
    a.request,
    a.response_sha256
from market.coverage as k
left join market.attestation as a using (attestation_id)
where
    k.instrument_id = %(instrument_id)s and k.timeframe = %(timeframe)s::market.timeframe
    and k.covers && %(covers)s::tstzrange
order by k.covers
