-- Coins by performance on each UTC day, as the view daily_rankings has them.
-- Parameters: starts_at, ends_at (half-open window of the days' starts), after_day, after_crypto (NULL at the start),
-- limit.
select
    r.day,
    r.crypto,
    r.rank,
    r.change_percent,
    r.close,
    r.close_before,
    r.universe_size,
    r.reason,
    r.venue,
    r.symbol
from public.daily_rankings as r
where
    r.day >= ((%(starts_at)s::timestamptz + interval '1 day' - interval '1 microsecond') at time zone 'UTC')::date
    and r.day < ((%(ends_at)s::timestamptz + interval '1 day' - interval '1 microsecond') at time zone 'UTC')::date
    and (
        %(after_day)s::date is null
        or (r.day, r.crypto) > (%(after_day)s::date, %(after_crypto)s::text)
    )
order by r.day, r.crypto
limit %(limit)s
