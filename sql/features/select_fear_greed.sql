-- The Fear & Greed index from a day on, oldest first: day in days, publication in seconds since the epoch.
-- Parameters: first_day.
select
    (f.day - date '1970-01-01')::float8 as day,
    f.value::float8,
    ceil(extract(epoch from f.published_at))::float8 as published_at
from market.fear_greed as f
where f.day >= %(first_day)s
order by f.day
