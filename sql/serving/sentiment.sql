-- The Fear & Greed index by day, as the view fear_greed_index has it.
-- Parameters: starts_at, ends_at (half-open window of the days' starts), after_timestamp, limit.
select
    f.timestamp,
    f.value,
    f.classification,
    f.published_at,
    f.source
from public.fear_greed_index as f
where
    f.timestamp >= %(starts_at)s
    and f.timestamp < %(ends_at)s
    and (%(after_timestamp)s::timestamptz is null or f.timestamp > %(after_timestamp)s::timestamptz)
order by f.timestamp
limit %(limit)s
