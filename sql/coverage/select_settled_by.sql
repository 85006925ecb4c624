-- Open times within covers that answers of a source spoke for and of which nothing is left to learn from it: their
-- candle is there, or a reason why there is none.
-- Parameters: instrument_id, timeframe, source, covers (a range as text). Answers one row: spans.
select
    tstzmultirange(%(covers)s::tstzrange)
    * (
        select coalesce(range_agg(a.covers), '{}')
        from market.attestation as a
        where
            a.instrument_id = %(instrument_id)s and a.timeframe = %(timeframe)s::market.timeframe
            and a.source = %(source)s and a.covers && %(covers)s::tstzrange
    )
    * (
        market.observed(%(instrument_id)s, %(timeframe)s::market.timeframe, %(covers)s::tstzrange)
        + (
            select coalesce(range_agg(k.covers), '{}')
            from market.coverage as k
            where k.instrument_id = %(instrument_id)s and k.timeframe = %(timeframe)s::market.timeframe
        )
    ) as spans
