-- Brings mart.daily_ranking in line with the candles of one hour of the UTC days in [starts_at, ends_at).
-- A day's universe: coins with a market against a dollar that was listed before the day's end and not delisted by its
-- begin; days without a candle of any market have no rows. Who speaks for a coin: the first by preference of those
-- markets that has a candle that day or the day before, else the first of them all. A coin's performance is its close
-- at the day's end over that at the end of the day before, on that one market; without both, or with one flagged, it
-- has no rank and a reason. Ties share a rank.
-- Keys: day, crypto. Parameters: starts_at, ends_at (both begin a day), recorded_at, price_rules, dollars, venues (both
-- in order of preference). Answers one row: new, changed, removed. A repeat writes nothing.
{% from 'transforms/merge.jinja' import merge -%}
with candle as (
    select
        c.instrument_id,
        c.opened_at,
        c.close,
        (c.opened_at at time zone 'UTC')::date as day,
        extract(hour from c.opened_at at time zone 'UTC') = 23 as is_last
    from market.instrument as i
    inner join market.candle as c using (instrument_id)
    where
        i.quote = any(%(dollars)s::text[])
        and c.timeframe = '1h'
        and c.opened_at >= %(starts_at)s::timestamptz - interval '1 day'
        and c.opened_at < %(ends_at)s::timestamptz
),

ended as materialized (
    select
        c.instrument_id,
        c.day,
        min(c.close) filter (where c.is_last) as close,
        coalesce(
            bool_or(
                exists (
                    select from mart.candle_flag as f
                    where
                        f.instrument_id = c.instrument_id
                        and f.timeframe = '1h'
                        and f.opened_at = c.opened_at
                        and f.rule = any(%(price_rules)s::text[])
                )
            ) filter (where c.is_last),
            false
        ) as is_flagged
    from candle as c
    group by c.instrument_id, c.day
),

observed as (
    select distinct e.day
    from ended as e
    where e.day >= (%(starts_at)s::timestamptz at time zone 'UTC')::date
),

listed as (
    select
        d.day,
        i.base as crypto,
        i.instrument_id,
        coalesce(array_position(%(venues)s::text[], i.venue), 1000) as venue_place,
        i.venue,
        array_position(%(dollars)s::text[], i.quote) as quote_place
    from observed as d
    inner join market.instrument as i
        on
            i.quote = any(%(dollars)s::text[])
            and i.listed_at < ((d.day + 1)::timestamp at time zone 'UTC')
            and coalesce(i.delisted_at, 'infinity') > (d.day::timestamp at time zone 'UTC')
),

speaking as (
    select distinct on (l.day, l.crypto)
        l.day,
        l.crypto,
        l.instrument_id,
        e.close,
        b.close as close_before,
        coalesce(e.is_flagged, false) as is_flagged,
        coalesce(b.is_flagged, false) as is_flagged_before
    from listed as l
    left join ended as e on l.instrument_id = e.instrument_id and l.day = e.day
    left join ended as b on l.instrument_id = b.instrument_id and l.day - 1 = b.day
    order by
        l.day, l.crypto,
        (e.day is null and b.day is null),
        l.venue_place, l.venue, l.quote_place, l.instrument_id
),

judged as (
    select
        s.*,
        case
            when s.close is null then 'no_close'
            when s.close_before is null then 'no_close_before'
            when s.is_flagged then 'flagged_close'
            when s.is_flagged_before then 'flagged_close_before'
        end as reason,
        round((s.close - s.close_before) * 100 / s.close_before, 6) as change_percent
    from speaking as s
),

computed as (
    select
        j.day,
        j.crypto,
        case
            when j.reason is null
                then
                    rank() over (
                        partition by j.day, (j.reason is null) order by j.change_percent desc
                    )::integer
        end as rank,
        case when j.reason is null then trim_scale(j.change_percent) end as change_percent,
        trim_scale(j.close) as close,
        trim_scale(j.close_before) as close_before,
        j.instrument_id,
        count(*) over (partition by j.day)::integer as universe_size,
        j.reason
    from judged as j
),

{{
    merge(
        'mart.daily_ranking', ['day', 'crypto'],
        ['rank', 'change_percent', 'close', 'close_before', 'instrument_id', 'universe_size', 'reason'],
        "t.day >= (%(starts_at)s::timestamptz at time zone 'UTC')::date"
        " and t.day < (%(ends_at)s::timestamptz at time zone 'UTC')::date"
    )
}}
