-- How many of a window's days should have a value of the Fear & Greed index, and have one: days from the first one
-- known up to the newest one, or up to what is overdue. One row: published_at (of the newest value of all), expected,
-- held, until (end of the last day expected in the window).
-- Parameters: starts_at, ends_at (half-open window of the days' starts), overdue_before.
with known as (
    select
        min(f.timestamp) as first_at,
        max(f.timestamp) as newest_at
    from public.fear_greed_index as f
),

expected as (
    select day.starts_at
    from known as k
    cross join
        lateral generate_series(
            greatest(k.first_at, date_trunc('day', %(starts_at)s::timestamptz)),
            least(%(ends_at)s::timestamptz, greatest(k.newest_at, %(overdue_before)s::timestamptz)),
            interval '1 day'
        ) as day (starts_at)
    where k.first_at is not null and day.starts_at >= %(starts_at)s and day.starts_at < %(ends_at)s
)

select
    (select n.published_at from market.fear_greed as n order by n.day desc limit 1) as published_at,
    count(*) as expected,
    count(f.timestamp) as held,
    max(f.timestamp) + interval '1 day' as until
from expected as e
left join public.fear_greed_index as f on e.starts_at = f.timestamp
