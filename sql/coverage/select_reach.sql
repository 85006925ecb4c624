-- The part of a span nothing is known of: no candle, no archive, no reason, and no answer that once had a candle.
-- Parameters: instrument_id, timeframe, covers (a range as text). Answers one row: spans.
select
    tstzmultirange(%(covers)s::tstzrange)
    - market.observed(%(instrument_id)s, %(timeframe)s::market.timeframe, %(covers)s::tstzrange)
    - market.archived(%(instrument_id)s, %(timeframe)s::market.timeframe)
    - market.answered(
        %(instrument_id)s, %(timeframe)s::market.timeframe, tstzmultirange(%(covers)s::tstzrange)
    )
    - (
        select coalesce(range_agg(k.covers), '{}')
        from market.coverage as k
        where k.instrument_id = %(instrument_id)s and k.timeframe = %(timeframe)s::market.timeframe
    ) as spans
