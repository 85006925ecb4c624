-- Rows of a public view whose time lies in [starts_at, ends_at), times as ISO 8601 in UTC, for COPY … TO STDOUT.
-- Names: view, time_column, keys, columns (name and is_time of each).
-- Parameters: starts_at, ends_at, each NULL for no bound.
select
    {%- for column in columns %}
    {% if column.is_time -%}
    to_char(v.{{ column.name }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
    || rtrim(rtrim(to_char(v.{{ column.name }} at time zone 'UTC', '.US'), '0'), '.') || 'Z' as {{ column.name }}
    {%- else -%}
    v.{{ column.name }}
    {%- endif %}{{ "" if loop.last else "," }}
    {%- endfor %}
from public.{{ view }} as v
where
    (%(starts_at)s::timestamptz is null or v.{{ time_column }} >= %(starts_at)s::timestamptz)
    and (%(ends_at)s::timestamptz is null or v.{{ time_column }} < %(ends_at)s::timestamptz)
order by {% for key in keys %}v.{{ key }}{{ "" if loop.last else ", " }}{% endfor %}
