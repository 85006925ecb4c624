-- Passes on from a staging table only what is new or differs, in one statement. A repeat writes nothing.
-- A value that was not supplied (NULL) never erases one that was.
-- Names: staging, target, keys, columns (values). Parameters: source, recorded_at. Answers one row: new, changed.
with differing as materialized (
    select
        {% for key in keys %}s.{{ key }},
        {% endfor -%}
        {% for column in columns %}coalesce(s.{{ column }}, t.{{ column }}) as {{ column }},
        {% endfor -%}
        t.recorded_at is not null as is_known
    from {{ staging }} as s
    left join {{ target }} as t using ({{ keys | join(', ') }})
    where
        t.recorded_at is null
        {%- for column in columns %}
        or (s.{{ column }} is not null and s.{{ column }} is distinct from t.{{ column }})
        {%- endfor %}
),

written as (
    insert into {{ target }} ({{ (keys + columns) | join(', ') }}, source, recorded_at)
    select {{ (keys + columns) | join(', ') }}, %(source)s, %(recorded_at)s
    from differing
    order by {{ keys | join(', ') }}
    on conflict ({{ keys | join(', ') }}) do update set
        {% for column in columns %}{{ column }} = excluded.{{ column }},
        {% endfor -%}
        source = excluded.source,
        recorded_at = excluded.recorded_at
)

select
    count(*) filter (where not is_known) as new,
    count(*) filter (where is_known) as changed
from differing
