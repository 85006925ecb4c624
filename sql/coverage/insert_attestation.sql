-- Notes an answer once. Key: instrument_id, timeframe, covers, source, response_sha256.
-- Parameters: the columns by name (covers, absent and refused as text of ranges).
-- Answers whether the ledger has a reason within what the answer covers.
with noted as (
    insert into market.attestation (
        instrument_id, timeframe, covers, candle_count, absent, refused, source, request, response_sha256, recorded_at
    )
    values (
        %(instrument_id)s, %(timeframe)s::market.timeframe, %(covers)s::tstzrange, %(candle_count)s,
        %(absent)s::tstzmultirange, %(refused)s::tstzmultirange, %(source)s, %(request)s, %(response_sha256)s,
        %(recorded_at)s
    )
    on conflict do nothing
)

select exists(
    select from market.coverage as k
    where
        market.series_key(k.instrument_id, k.timeframe)
        = market.series_key(%(instrument_id)s, %(timeframe)s::market.timeframe)
        and k.covers && %(covers)s::tstzrange
)
