-- What the absences of an answer, noted before, mean. An absence within a known outage is one at once; any other is
-- empty where nothing may be expected to come any more (settled) and the silence is no longer than what is believed at
-- once, or where an answer of another time or source lacked it too. What an answer once had, or what the archive holds,
-- is not explained away by a later silence.
-- Parameters: instrument_id, timeframe, source, absent, outages (spans as text), settled_before (open times before it
-- are settled), believed (longest silence that one answer may prove), confirmed_before (answers up to it confirm).
-- Answers one row: outage, empty (spans), and the id of the newest answer that lacked any of it.
with lacking as (
    select
        %(absent)s::tstzmultirange
        - market.observed(
            %(instrument_id)s, %(timeframe)s::market.timeframe, range_merge(%(absent)s::tstzmultirange)
        )
        - market.archived(%(instrument_id)s, %(timeframe)s::market.timeframe)
        - market.answered(
            %(instrument_id)s, %(timeframe)s::market.timeframe, %(absent)s::tstzmultirange
        ) as spans
),

answers as (
    select
        a.attestation_id,
        a.absent,
        a.source <> %(source)s or a.recorded_at <= %(confirmed_before)s as confirms
    from market.attestation as a
    cross join lacking as l
    where
        a.instrument_id = %(instrument_id)s and a.timeframe = %(timeframe)s::market.timeframe
        and a.absent && l.spans
),

confirmed as (
    select coalesce(range_agg(piece.span), '{}') as spans
    from answers as a
    cross join lateral unnest(a.absent) as piece (span)
    where a.confirms
),

short as (
    select coalesce(range_agg(piece.span), '{}') as spans
    from unnest(%(absent)s::tstzmultirange) as piece (span)
    where upper(piece.span) - lower(piece.span) <= %(believed)s
)

select
    l.spans * %(outages)s::tstzmultirange as outage,
    (l.spans - %(outages)s::tstzmultirange)
    * (c.spans + s.spans * tstzmultirange(tstzrange(null, %(settled_before)s::timestamptz))) as empty,
    (select max(a.attestation_id) from answers as a) as attestation_id
from lacking as l
cross join confirmed as c
cross join short as s
