-- Lowest and highest value of each column in the checked rows, as SQLColumnCheckOperator reads them: col_name,
-- check_type, check_result. Key: col_name, check_type. A column without any value breaks no range.
-- Names: columns and those of sql/checks/series.sql. No parameters.
with series as (
    {% filter indent %}{% include 'checks/series.sql' %}{% endfilter %}
),

summary as (
    select
        {%- for name in columns %}
        coalesce(min(f.{{ name }}), 'Infinity') as least_{{ name }},
        coalesce(max(f.{{ name }}), '-Infinity') as most_{{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from series as s
    cross join lateral (
        select r.*
        from features.candle_feature as r
        where r.instrument_id = s.instrument_id and r.timeframe = s.timeframe and r.opened_at >= s.checked_from
        order by r.opened_at  -- series by series by its key; a join would read the whole table
    ) as f
)

select
    v.col_name,
    v.check_type,
    v.check_result
from summary as s
cross join unnest(
    array[{% for name in columns %}'{{ name }}', '{{ name }}'{{ ", " if not loop.last }}{% endfor %}],
    array[{% for name in columns %}'min', 'max'{{ ", " if not loop.last }}{% endfor %}],
    array[{% for name in columns %}s.least_{{ name }}, s.most_{{ name }}{{ ", " if not loop.last }}{% endfor %}]
) as v (col_name, check_type, check_result)
