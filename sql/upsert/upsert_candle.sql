-- Passes on from candle_staging to market.candle only what is new or differs, in one statement and one snapshot.
-- A figure the source does not publish (NULL) takes away no known one, unless what the candle is made of has changed.
-- Replaced values go to market.candle_revision, what was written to ops.change_range as contiguous ranges.
-- Keys: instrument_id, timeframe, opened_at. Names: columns (values): required and optional. A repeat writes nothing.
-- Parameters: instrument_id, timeframe, source, recorded_at; yields_to: a source whose candles stay as they are;
-- first_opened_at, last_opened_at: of the staged rows, so that no more of the table is read.
-- Answers one row: new, changed.
with differing as materialized (
    select
        s.opened_at,
        s.{{ required | join(', s.') }},
        {% for column in optional -%}
        case
            when difference.is_other then s.{{ column }}
            else coalesce(s.{{ column }}, t.{{ column }})
        end as {{ column }},
        {% endfor -%}
        t.opened_at is not null as is_known
    from candle_staging as s
    left join market.candle as t
        on
            t.instrument_id = %(instrument_id)s
            and t.timeframe = %(timeframe)s::market.timeframe
            and t.opened_at between %(first_opened_at)s and %(last_opened_at)s
            and s.opened_at = t.opened_at
    cross join
        lateral (
            values ((s.{{ required | join(', s.') }}) is distinct from (t.{{ required | join(', t.') }}))
        ) as difference (is_other)
    where
        t.opened_at is null
        or t.source is distinct from %(yields_to)s
        and (
            {% for column in optional -%}
            coalesce(s.{{ column }}, t.{{ column }}) is distinct from t.{{ column }}
            or {% endfor -%}
            difference.is_other
        )
),

revised as (
    insert into market.candle_revision (
        instrument_id, timeframe, opened_at, recorded_at, superseded_at, source, {{ columns | join(', ') }}
    )
    select
        t.instrument_id, t.timeframe, t.opened_at, t.recorded_at, %(recorded_at)s, t.source,
        t.{{ columns | join(', t.') }}
    from market.candle as t
    inner join differing using (opened_at)
    where
        t.instrument_id = %(instrument_id)s
        and t.timeframe = %(timeframe)s::market.timeframe
        and t.opened_at between %(first_opened_at)s and %(last_opened_at)s
    order by t.opened_at
),

written as (
    insert into market.candle (instrument_id, timeframe, opened_at, recorded_at, source, {{ columns | join(', ') }})
    select
        %(instrument_id)s, %(timeframe)s::market.timeframe, d.opened_at, %(recorded_at)s, %(source)s,
        d.{{ columns | join(', d.') }}
    from differing as d
    order by d.opened_at
    on conflict (instrument_id, timeframe, opened_at) do update set
        recorded_at = excluded.recorded_at,
        source = excluded.source,
        {% for column in columns %}{{ column }} = excluded.{{ column }}{{ ", " if not loop.last }}{% endfor %}
),

-- Neighbours share their distance to a running count of steps.
placed as (
    select
        opened_at,
        opened_at - row_number() over (order by opened_at) * market.step(%(timeframe)s::market.timeframe) as island
    from differing
),

noted as (
    insert into ops.change_range (dataset, instrument_id, timeframe, starts_at, ends_at, recorded_at)
    select
        'candle', %(instrument_id)s, %(timeframe)s::market.timeframe,
        min(opened_at), max(opened_at) + market.step(%(timeframe)s::market.timeframe), %(recorded_at)s
    from placed
    group by island
    order by min(opened_at)
)

select
    count(*) filter (where not is_known) as new,
    count(*) filter (where is_known) as changed
from differing
