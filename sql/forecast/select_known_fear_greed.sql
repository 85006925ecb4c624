-- The Fear & Greed index as it was known at known_at, oldest first: day in days, publication in seconds since the
-- epoch. Parameters: first_day, known_at.
with known as (
    select
        f.day,
        f.value,
        f.published_at
    from market.fear_greed as f
    where f.day >= %(first_day)s and f.recorded_at <= %(known_at)s
    union all
    select
        r.day,
        r.value,
        r.published_at
    from market.fear_greed_revision as r
    where r.day >= %(first_day)s and r.recorded_at <= %(known_at)s and r.superseded_at > %(known_at)s
)

select
    (k.day - date '1970-01-01')::float8 as day,
    k.value::float8,
    ceil(extract(epoch from k.published_at))::float8 as published_at
from known as k
order by k.day
