-- Rows of the ledger that overlap a span or border on it. Parameters: instrument_id, timeframe, covers (as text).
select k.coverage_id, k.covers, k.state::text, k.reason, k.attestation_id, k.recorded_at
from market.coverage as k
where
    market.series_key(k.instrument_id, k.timeframe)
    = market.series_key(%(instrument_id)s, %(timeframe)s::market.timeframe)
    and (k.covers && %(covers)s::tstzrange or k.covers -|- %(covers)s::tstzrange)
order by k.covers
