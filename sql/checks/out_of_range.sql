-- Values outside the bounds of their column, newest first, and how many there are in all.
-- Key: market, timeframe, opened_at, name. Names: columns and those of sql/checks/series.sql.
-- Parameters: at_most; lowest, highest (arrays in the order of the columns; infinite where a column has no bound: an
-- infinite value is outside all the same).
with series as (
    {% filter indent %}{% include 'checks/series.sql' %}{% endfilter %}
),

outside as (
    select
        s.market,
        s.timeframe,
        f.opened_at,
        v.name,
        v.value,
        v.lowest,
        v.highest
    from series as s
    cross join
        lateral (
            select r.*
            from features.candle_feature as r
            where r.instrument_id = s.instrument_id and r.timeframe = s.timeframe and r.opened_at >= s.checked_from
            order by r.opened_at  -- series by series by its key; a join would read the whole table
        ) as f
    cross join
        unnest(
            array['{{ columns | join("', '") }}'],
            array[f.{{ columns | join(', f.') }}],
            %(lowest)s::float8[],
            %(highest)s::float8[]
        ) as v (name, value, lowest, highest)
    where
        v.value < v.lowest or v.value > v.highest
        or v.value in ('-Infinity', 'Infinity', 'NaN')
)

select
    o.market,
    o.timeframe::text,
    to_char(o.opened_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI"Z"') as opened_at,
    o.name,
    o.value,
    o.lowest,
    o.highest,
    count(*) over () as values_outside
from outside as o
order by o.opened_at desc, o.market asc, o.timeframe asc, o.name asc
limit %(at_most)s
