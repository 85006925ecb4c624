-- One series as disjoint sets of open times that together are what is expected of it, in one snapshot:
-- expected = observed + archived + empty + outage + out_of_reach + pending + unknown, and unknown by its reason:
-- deleted (an answer had a candle), quarantined (a row was refused), unconfirmed (one answer lacked it) or never asked.
-- Expected begins with the first candle or the first answer since the listing, and ends with the newest candle that is
-- closed at now, or with the delisting. Pending: closed since settling_from and never answered with a candle.
-- Parameters: instrument_id, timeframe, now, starts_at and ends_at (NULL: as above), pending_for (interval).
with given as (
    select %(instrument_id)s::integer as instrument_id, %(timeframe)s::market.timeframe as timeframe
),

series as (
    select
        i.instrument_id,
        t.timeframe,
        market.step(t.timeframe) as step,
        date_bin(market.step(t.timeframe), i.listed_at, timestamptz '1970-01-01 00:00:00+00') as listed_from,
        i.delisted_at,
        date_bin(market.step(t.timeframe), %(now)s, timestamptz '1970-01-01 00:00:00+00') as closed_until,
        date_bin(
            market.step(t.timeframe), %(now)s - %(pending_for)s::interval, timestamptz '1970-01-01 00:00:00+00'
        ) as pending_from,
        (
            select min(c.opened_at)
            from market.candle as c
            where c.instrument_id = i.instrument_id and c.timeframe = t.timeframe
        ) as first_opened_at,
        (
            select lower(a.covers)
            from market.attestation as a
            where a.instrument_id = i.instrument_id and a.timeframe = t.timeframe
            order by a.covers
            limit 1
        ) as first_answered,
        market.archived(i.instrument_id, t.timeframe) as archived_spans
    from market.instrument as i
    inner join given as t using (instrument_id)
),

reasons as (
    select
        coalesce(range_agg(k.covers) filter (where k.state = 'empty'), '{}') as empty,
        coalesce(range_agg(k.covers) filter (where k.state = 'outage'), '{}') as outage,
        coalesce(range_agg(k.covers) filter (where k.state = 'out_of_reach'), '{}') as out_of_reach,
        coalesce(range_agg(k.covers), '{}') as spans,
        min(lower(k.covers)) as first_reason
    from market.coverage as k
    where k.instrument_id = %(instrument_id)s and k.timeframe = %(timeframe)s::market.timeframe
),

extent as (
    select
        least(s.first_opened_at, lower(s.archived_spans), s.listed_from) as oldest,
        least(
            s.first_opened_at,
            lower(s.archived_spans),
            -- greatest() alone would pass over a NULL and say that all is expected since the listing
            case
                when least(s.first_answered, r.first_reason) < s.listed_from then s.listed_from
                else least(s.first_answered, r.first_reason)
            end
        ) as known_from,
        least(
            s.closed_until,
            date_bin(s.step, s.delisted_at + s.step - interval '1 microsecond', timestamptz '1970-01-01 00:00:00+00'),
            date_bin(s.step, %(ends_at)s::timestamptz, timestamptz '1970-01-01 00:00:00+00')
        ) as ends_at
    from series as s
    cross join reasons as r
),

expected as (
    select
        case
            when e.starts_at < e.ends_at then tstzmultirange(tstzrange(e.starts_at, e.ends_at)) else '{}'
        end as spans,
        tstzrange(least(e.starts_at, e.ends_at), e.ends_at) as bounds
    from (
        select
            case
                when %(starts_at)s::timestamptz is null then x.known_from
                else greatest(
                    x.oldest,
                    date_bin(
                        s.step, %(starts_at)s::timestamptz + s.step - interval '1 microsecond',
                        timestamptz '1970-01-01 00:00:00+00'
                    )
                )
            end as starts_at,
            x.ends_at
        from extent as x
        cross join series as s
    ) as e
),

held as materialized (
    select market.observed(%(instrument_id)s, %(timeframe)s::market.timeframe, x.bounds) as observed
    from expected as x
),

left_over as materialized (
    select
        x.spans * s.archived_spans - h.observed - r.spans as archived,
        x.spans - h.observed - r.spans - s.archived_spans as spans
    from expected as x
    cross join series as s
    cross join held as h
    cross join reasons as r
),

answers as materialized (
    select
        market.answered(%(instrument_id)s, %(timeframe)s::market.timeframe, l.spans) as had,
        (
            select coalesce(range_agg(piece.span), '{}')
            from market.attestation as a
            cross join lateral unnest(a.refused) as piece (span)
            where
                a.instrument_id = %(instrument_id)s and a.timeframe = %(timeframe)s::market.timeframe
                and a.refused && l.spans
        ) as refused,
        (
            select coalesce(range_agg(piece.span), '{}')
            from market.attestation as a
            cross join lateral unnest(a.absent) as piece (span)
            where
                a.instrument_id = %(instrument_id)s and a.timeframe = %(timeframe)s::market.timeframe
                and a.absent && l.spans
        ) as absent
    from left_over as l
),

verdict as (
    select
        l.archived,
        l.spans * tstzmultirange(tstzrange(s.pending_from, s.closed_until)) - a.had as pending,
        l.spans * a.had as deleted,
        l.spans - tstzmultirange(tstzrange(s.pending_from, s.closed_until)) - a.had as unexplained,
        a.refused,
        a.absent
    from left_over as l
    cross join answers as a
    cross join series as s
)

select
    x.spans as expected,
    h.observed,
    v.archived,
    x.spans * r.empty - h.observed as empty,
    x.spans * r.outage - h.observed as outage,
    x.spans * r.out_of_reach - h.observed as out_of_reach,
    v.pending,
    v.deleted,
    v.unexplained * v.refused as quarantined,
    v.unexplained * v.absent - v.refused as unconfirmed,
    v.unexplained - v.refused - v.absent as never_asked
from verdict as v
cross join expected as x
cross join held as h
cross join reasons as r
