-- Brings mart.price_alert in line with a market's candles of one hour in [starts_at, ends_at).
-- The change at a candle is its close over that one window before. On each side (up, down) it fires at threshold or
-- beyond, is back below again_below, and says nothing in between, nor where one of the two candles is missing or
-- flagged. An alert is a candle that fires while the last one that said anything did not: one per crossing.
-- So what is in the range depends on the last candle before it that says something, and the range decides about
-- the first one after it that does; both are looked up, and no other can differ.
-- New alerts are inserted; one that is no longer true gets retracted_at; one whose figures differ, or that is true once
-- more, is brought in line and what it said goes to its history. A repeat writes nothing.
-- Keys: instrument_id, direction, triggered_at. Parameters: instrument_id, crypto, starts_at, ends_at, recorded_at,
-- price_rules, change_window, threshold, again_below (percent), notify_within, because (candles or definition).
-- Answers one row: fired, corrected, reinstated, retracted.
-- The candle before and the flags are looked up one by one: joined as sets, looking one candle up read the whole
-- history.
{%- macro said(span) %}
select
    c.opened_at,
    c.close,
    p.close as close_before,
    case
        when (c.close - p.close) * 100 >= %(threshold)s::numeric * p.close then true
        when (c.close - p.close) * 100 < %(again_below)s::numeric * p.close then false
    end as is_up,
    case
        when (p.close - c.close) * 100 >= %(threshold)s::numeric * p.close then true
        when (p.close - c.close) * 100 < %(again_below)s::numeric * p.close then false
    end as is_down
from market.candle as c
cross join
    lateral (
        select b.close
        from market.candle as b
        where
            b.instrument_id = c.instrument_id
            and b.timeframe = c.timeframe
            and b.opened_at = c.opened_at - %(change_window)s::interval
        order by b.opened_at
        limit 1
    ) as p
where
    c.instrument_id = %(instrument_id)s
    and c.timeframe = '1h'
    and {{ span }}
    {%- for at in ['c.opened_at', 'c.opened_at - %(change_window)s::interval'] %}
    and (
        select count(*)
        from mart.candle_flag as f
        where
            f.instrument_id = c.instrument_id
            and f.timeframe = c.timeframe
            and f.opened_at = {{ at }}
            and f.rule = any(%(price_rules)s::text[])
    ) = 0
    {%- endfor %}
{%- endmacro %}
with within as (
    {{- said('c.opened_at >= %(starts_at)s and c.opened_at < %(ends_at)s') | indent }}
),

definite as materialized (
    select
        d.direction,
        w.opened_at,
        d.is_beyond,
        w.close,
        w.close_before
    from within as w
    cross join lateral (values ('up', w.is_up), ('down', w.is_down)) as d (direction, is_beyond)
    where d.is_beyond is not null
    {%- for direction in ['up', 'down'] %}
    {%- for span, order in [('c.opened_at < %(starts_at)s', 'desc'), ('c.opened_at >= %(ends_at)s', 'asc')] %}
    union all
    (
        select
            '{{ direction }}' as direction,
            s.opened_at,
            s.is_{{ direction }} as is_beyond,
            s.close,
            s.close_before
        from (
            {{- said(span) | indent(12) }}
        ) as s
        where s.is_{{ direction }} is not null
        order by s.opened_at {{ order }}
        limit 1
    )
    {%- endfor %}
    {%- endfor %}
),

ordered as (
    select
        d.*,
        lag(d.is_beyond) over (partition by d.direction order by d.opened_at) as was_beyond
    from definite as d
),

computed as materialized (
    select
        o.direction,
        o.opened_at + interval '1 hour' as triggered_at,
        trim_scale(round((o.close - o.close_before) * 100 / o.close_before, 6)) as change_percent,
        trim_scale(o.close) as price,
        trim_scale(o.close_before) as price_before,
        %(threshold)s::numeric as threshold_percent,
        %(change_window)s::interval as change_window
    from ordered as o
    where o.is_beyond and o.was_beyond is not true and o.opened_at >= %(starts_at)s
),

-- What is decided here: the range, and up to the first candle after it that says something.
held as (
    select a.*
    from mart.price_alert as a
    where
        a.instrument_id = %(instrument_id)s
        and a.triggered_at > %(starts_at)s
        and a.triggered_at <= coalesce(
            (
                select max(d.opened_at) + interval '1 hour'
                from definite as d
                where d.direction = a.direction and d.opened_at >= %(ends_at)s
            ),
            'infinity'
        )
),

differing as materialized (
    select
        direction,
        triggered_at,
        n.change_percent,
        n.price,
        n.price_before,
        n.threshold_percent,
        n.change_window,
        case
            when h.instrument_id is null then 'fired'
            when n.price is null then 'retracted'
            when h.retracted_at is not null then 'reinstated'
            else 'corrected'
        end as outcome
    from computed as n
    full join held as h using (direction, triggered_at)
    where
        case
            when n.price is null then h.retracted_at is null
            when h.instrument_id is null or h.retracted_at is not null then true
            else
                (n.change_percent, n.price, n.price_before, n.threshold_percent, n.change_window)
                is distinct from (h.change_percent, h.price, h.price_before, h.threshold_percent, h.change_window)
        end
),

fired as (
    insert into mart.price_alert (
        instrument_id, direction, triggered_at, crypto, change_percent, price, price_before, threshold_percent,
        change_window, known_at, notification
    )
    select
        %(instrument_id)s,
        d.direction,
        d.triggered_at,
        %(crypto)s,
        d.change_percent,
        d.price,
        d.price_before,
        d.threshold_percent,
        d.change_window,
        %(recorded_at)s,
        case when d.triggered_at < %(recorded_at)s::timestamptz - %(notify_within)s::interval then 'historic' end
    from differing as d
    where d.outcome = 'fired'
    order by d.triggered_at, d.direction
),

retracted as (
    update mart.price_alert as a set
        retracted_at = %(recorded_at)s,
        retracted_because = %(because)s,
        retraction_notification = case when a.notification = 'sent' and %(because)s = 'definition' then 'definition' end
    from differing as d
    where
        d.outcome = 'retracted'
        and a.instrument_id = %(instrument_id)s
        and a.direction = d.direction
        and a.triggered_at = d.triggered_at
),

-- What was sent and taken back is sent again when it stands again, unless that becomes known too late.
amended as (
    update mart.price_alert as a set
        change_percent = d.change_percent,
        price = d.price,
        price_before = d.price_before,
        threshold_percent = d.threshold_percent,
        change_window = d.change_window,
        known_at = %(recorded_at)s,
        notification = case
            when d.outcome = 'corrected' then a.notification
            when a.notification is not null and a.retraction_notification is distinct from 'sent' then a.notification
            when d.triggered_at < %(recorded_at)s::timestamptz - %(notify_within)s::interval then 'historic'
        end,
        notified_at = case when a.retraction_notification is distinct from 'sent' then a.notified_at end,
        retracted_at = null,
        retracted_because = null,
        retraction_notification = null,
        retraction_notified_at = null,
        history = a.history || jsonb_strip_nulls(jsonb_build_object(
            'change_percent', a.change_percent,
            'price', a.price,
            'price_before', a.price_before,
            'threshold_percent', a.threshold_percent,
            'change_window', a.change_window,
            'known_at', a.known_at,
            'notified_at', a.notified_at,
            'retracted_at', a.retracted_at,
            'retracted_because', a.retracted_because,
            'retraction_notified_at', a.retraction_notified_at,
            'until', %(recorded_at)s::timestamptz
        ))
    from differing as d
    where
        d.outcome in ('corrected', 'reinstated')
        and a.instrument_id = %(instrument_id)s
        and a.direction = d.direction
        and a.triggered_at = d.triggered_at
)

select
    count(*) filter (where d.outcome = 'fired') as fired,
    count(*) filter (where d.outcome = 'corrected') as corrected,
    count(*) filter (where d.outcome = 'reinstated') as reinstated,
    count(*) filter (where d.outcome = 'retracted') as retracted
from differing as d
