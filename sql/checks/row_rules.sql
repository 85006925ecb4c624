-- Whether all checked rows keep each rule, as SQLTableCheckOperator reads it: check_name, check_result.
-- Key: check_name. Names: rules and those of sql/checks/judged_rows.sql. No parameters.
with judged as (
    {% filter indent %}{% include 'checks/judged_rows.sql' %}{% endfilter %}
),

summary as (
    select
        {%- for rule in rules %}
        coalesce(bool_and(j.{{ rule }}), true) as {{ rule }}{{ "," if not loop.last }}
        {%- endfor %}
    from judged as j
)

select
    v.check_name,
    v.check_result
from summary as s
cross join unnest(
    array['{{ rules | join("', '") }}'],
    array[s.{{ rules | join(', s.') }}]
) as v (check_name, check_result)
