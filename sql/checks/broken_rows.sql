-- Rows that break a rule, newest first, with what is wrong in words, and how many there are in all.
-- Key: market, timeframe, opened_at, rule. Names: rules, ordered and those of sql/checks/judged_rows.sql.
-- Parameters: at_most.
with judged as (
    {% filter indent %}{% include 'checks/judged_rows.sql' %}{% endfilter %}
),

broken as (
    select
        j.market,
        j.timeframe,
        j.opened_at,
        v.rule,
        v.what
    from judged as j
    cross join
        unnest(
            array['{{ rules | join("', '") }}'],
            array[j.{{ rules | join(', j.') }}],
            array[
                'the candle has no feature row',
                'the feature row has no candle, nor has an archive that took it',
                format(
                    'the newest candle has no feature row; newest row: %%s',
                    coalesce(to_char(j.newest_row_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI"Z"'), 'none')
                ),
                format('NULL where history_bars = %%s: %%s', j.history_bars, array_to_string(j.absent, ', ')),
                'fear_greed = NULL, though a value had been published',
                {%- for names in ordered.values() %}
                concat_ws(
                    ', ', {% for name in names %}'{{ name }} = ' || j.{{ name }}{{ ", " if not loop.last }}{% endfor %}

                ){{ "," if not loop.last }}
                {%- endfor %}
            ]
        ) as v (rule, is_kept, what)
    where not v.is_kept
)

select
    b.market,
    b.timeframe::text,
    to_char(b.opened_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI"Z"') as opened_at,
    b.rule,
    b.what,
    count(*) over () as broken_rows
from broken as b
order by b.opened_at desc, b.market asc, b.timeframe asc, b.rule asc
limit %(at_most)s
