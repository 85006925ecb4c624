-- Open times of a series whose candle was read again long enough after its close, by an answer or by a repair that was
-- answered the same again. Parameters: instrument_id, timeframe, covers (a range), settle_delay (interval).
-- Answers one row: spans.
select coalesce(range_agg(reading.span), '{}') as spans
from (
    select
        a.covers * tstzrange(
            null,
            date_bin(
                market.step(a.timeframe), a.recorded_at - %(settle_delay)s::interval,
                timestamptz '1970-01-01 00:00:00+00'
            )
        ) as span
    from market.attestation as a
    where
        a.instrument_id = %(instrument_id)s and a.timeframe = %(timeframe)s::market.timeframe
        and a.covers && %(covers)s::tstzrange
    union all
    select
        r.covers * tstzrange(
            null,
            date_bin(
                market.step(r.timeframe), r.recorded_at - %(settle_delay)s::interval,
                timestamptz '1970-01-01 00:00:00+00'
            )
        )
    from ops.repair_step as r
    where
        r.instrument_id = %(instrument_id)s and r.timeframe = %(timeframe)s::market.timeframe
        and r.outcome = 'done' and r.covers && %(covers)s::tstzrange
) as reading
