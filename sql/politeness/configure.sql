-- Bring a host's buckets in line with the configured limits; nothing is written where they are.
-- A new bucket is full; a smaller one keeps no more than it can hold; one that is configured no more goes on counting.
-- Keys: (source, window_seconds). Parameters: source, at (NULL: the database's clock), and one entry per limit in
-- windows (seconds), units, capacities, refills (per second).
with configured as (
    select l.window_seconds, l.units, l.capacity, l.refill_per_second
    from unnest(
        %(windows)s::integer[],
        %(units)s::double precision[],
        %(capacities)s::double precision[],
        %(refills)s::double precision[]
    ) as l (window_seconds, units, capacity, refill_per_second)
),

retired as (
    update ops.rate_budget as r
    set is_active = false
    where
        r.source = %(source)s
        and r.is_active
        and r.window_seconds not in (select c.window_seconds from configured as c)
)

insert into ops.rate_budget as r (source, window_seconds, units, capacity, refill_per_second, tokens, updated_at)
select
    %(source)s,
    c.window_seconds,
    c.units,
    c.capacity,
    c.refill_per_second,
    c.capacity as tokens,
    coalesce(%(at)s, clock_timestamp())
from configured as c
on conflict (source, window_seconds) do update
set
    units = excluded.units,
    capacity = excluded.capacity,
    refill_per_second = excluded.refill_per_second,
    tokens = least(r.tokens, excluded.capacity),
    is_active = true
where
    (r.units, r.capacity, r.refill_per_second, r.is_active)
    is distinct from (excluded.units, excluded.capacity, excluded.refill_per_second, true)
