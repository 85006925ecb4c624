-- For how long of a window a market's last snapshot was older than a deadline. The window begins with the market's
-- first snapshot, where that is later. One row: newest (snapshot of all), known (the window's length in seconds; NULL
-- where there is no snapshot), without (how many of them), first_gap (since when; NULL: never), until (newest snapshot
-- before the window's end).
-- Parameters: instrument_id, starts_at, ends_at, deadline (interval).
with newest as (
    select t.observed_at
    from market.ticker as t
    where t.instrument_id = %(instrument_id)s
    order by t.observed_at desc
    limit 1
),

before as (
    select t.observed_at
    from market.ticker as t
    where t.instrument_id = %(instrument_id)s and t.observed_at < %(starts_at)s
    order by t.observed_at desc
    limit 1
),

observed as (
    select b.observed_at
    from before as b
    union all
    select t.observed_at
    from market.ticker as t
    where
        t.instrument_id = %(instrument_id)s
        and t.observed_at >= %(starts_at)s
        and t.observed_at < %(ends_at)s
),

followed as (
    select
        o.observed_at,
        greatest(o.observed_at + %(deadline)s::interval, %(starts_at)s::timestamptz) as gap_starts_at,
        lead(o.observed_at, 1, %(ends_at)s::timestamptz) over (order by o.observed_at) as gap_ends_at
    from observed as o
)

select
    (select n.observed_at from newest as n) as newest,
    case
        when count(*) > 0
            then
                extract(
                    epoch from %(ends_at)s::timestamptz - greatest(min(f.observed_at), %(starts_at)s::timestamptz)
                )::float8
    end as known,
    coalesce(
        sum(extract(epoch from f.gap_ends_at - f.gap_starts_at)) filter (where f.gap_starts_at < f.gap_ends_at), 0
    )::float8 as without,
    min(f.gap_starts_at) filter (where f.gap_starts_at < f.gap_ends_at) as first_gap,
    max(f.observed_at) as until
from followed as f
