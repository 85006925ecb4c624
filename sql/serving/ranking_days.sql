-- How many of a window's days should have a ranking, and have one: days from the first one with a rank up to the newest
-- one. One row: newest_at (start of the newest of all), expected, there, first_missing (start of the first day without
-- a row), until (end of the last day expected in the window).
-- Parameters: starts_at, ends_at (half-open window of the days' starts).
with known as (
    select
        min(r.day) as first_day,
        max(r.day) as newest_day
    from mart.daily_ranking as r
    where r.rank is not null
),

days as (
    select day.starts_at
    from known as k
    cross join
        lateral generate_series(
            greatest(k.first_day::timestamp at time zone 'UTC', date_trunc('day', %(starts_at)s::timestamptz)),
            least(k.newest_day::timestamp at time zone 'UTC', %(ends_at)s::timestamptz),
            interval '1 day'
        ) as day (starts_at)
    where k.first_day is not null and day.starts_at >= %(starts_at)s and day.starts_at < %(ends_at)s
),

judged as (
    select
        e.starts_at,
        (
            select count(*) > 0
            from mart.daily_ranking as r
            where r.day = (e.starts_at at time zone 'UTC')::date
        ) as is_there
    from days as e
)

select
    (select k.newest_day::timestamp at time zone 'UTC' from known as k) as newest_at,
    count(*) as expected,
    count(*) filter (where j.is_there) as there,
    min(j.starts_at) filter (where not j.is_there) as first_missing,
    max(j.starts_at) + interval '1 day' as until
from judged as j
