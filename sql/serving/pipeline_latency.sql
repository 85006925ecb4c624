-- From the close of each hour to the last of the forecasts that start from it, by the world's clock.
-- Parameters: starts_at, ends_at (half-open window of closes), after_hour_at, limit.
select
    f.as_of as hour_at,
    max(f.made_at) as made_at,
    extract(epoch from max(f.made_at) - f.as_of)::float8 as seconds,
    count(*) as forecasts
from ml.forecast as f
where
    f.as_of >= %(starts_at)s and f.as_of < %(ends_at)s
    and (%(after_hour_at)s::timestamptz is null or f.as_of > %(after_hour_at)s)
group by f.as_of
order by f.as_of
limit %(limit)s
