-- Passes on from feature_staging to features.candle_feature only what is new or differs; a repeat writes nothing.
-- Keys: instrument_id, timeframe, opened_at. Names: columns (all float8; NaN in staging means NULL).
-- Parameters: instrument_id, timeframe, recorded_at; first_opened_at, last_opened_at of the staged rows, which keep
-- the comparison from reading the whole series. Answers one row: new, changed.
with staged as (
    select
        opened_at,
        {% for column in columns %}nullif({{ column }}, 'NaN') as {{ column }}{{ ", " if not loop.last }}{% endfor %}
    from feature_staging
),

differing as materialized (
    select s.*, t.opened_at is not null as is_known
    from staged as s
    left join features.candle_feature as t
        on
            t.instrument_id = %(instrument_id)s
            and t.timeframe = %(timeframe)s::market.timeframe
            and s.opened_at = t.opened_at
            and t.opened_at between %(first_opened_at)s and %(last_opened_at)s
    where
        t.opened_at is null
        or (s.{{ columns | join(', s.') }}) is distinct from (t.{{ columns | join(', t.') }})
),

written as (
    insert into features.candle_feature (instrument_id, timeframe, opened_at, recorded_at, {{ columns | join(', ') }})
    select
        %(instrument_id)s, %(timeframe)s::market.timeframe, d.opened_at, %(recorded_at)s,
        d.{{ columns | join(', d.') }}
    from differing as d
    order by d.opened_at
    on conflict (instrument_id, timeframe, opened_at) do update set
        recorded_at = excluded.recorded_at,
        {% for column in columns %}{{ column }} = excluded.{{ column }}{{ ", " if not loop.last }}{% endfor %}
)

select
    count(*) filter (where not is_known) as new,
    count(*) filter (where is_known) as changed
from differing
