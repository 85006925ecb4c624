-- The answer that speaks best for why the candles of each span are unknown, in the spans' order: the newest of those
-- that had one (deleted), refused one (quarantined) or else lacked one; NULLs where no answer covers any.
-- Parameters: instrument_id, timeframe, spans and reasons (arrays of ranges and words).
with asked as (
    select
        given.place,
        given.span,
        given.reason
    from unnest(%(spans)s::tstzrange[], %(reasons)s::text[]) with ordinality as given (span, reason, place)
),

speaking as (
    select distinct on (q.place)
        q.place,
        a.attestation_id,
        a.source,
        a.recorded_at,
        a.candle_count
    from asked as q
    inner join market.attestation as a
        on
            a.instrument_id = %(instrument_id)s
            and a.timeframe = %(timeframe)s::market.timeframe
            and q.span && a.covers
    order by
        q.place asc,
        case q.reason
            when 'deleted' then tstzmultirange(a.covers) - a.absent - a.refused && q.span
            when 'quarantined' then a.refused && q.span
            else a.absent && q.span
        end desc,
        a.recorded_at desc,
        a.attestation_id desc
)

select
    s.attestation_id,
    s.source,
    s.recorded_at,
    s.candle_count
from asked as q
left join speaking as s using (place)
order by q.place
