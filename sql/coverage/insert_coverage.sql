-- A row of the ledger. Parameters: the columns by name (covers as text).
insert into market.coverage (instrument_id, timeframe, covers, state, reason, attestation_id, recorded_at)
values (
    %(instrument_id)s, %(timeframe)s::market.timeframe, %(covers)s::tstzrange, %(state)s::market.coverage_state,
    %(reason)s, %(attestation_id)s, %(recorded_at)s
)
