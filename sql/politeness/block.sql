-- Nobody sends to the host for a while: as long as it said, or doubling with each block that follows another.
-- Answers to requests that were under way when the block began belong to it and lengthen it only by what they say.
-- A half-open circuit, whose one request was refused, opens again for that time.
-- Key: source. Parameters: source, reason, told (seconds, NULL where the host did not say), least, first and longest
-- (seconds), error, at (NULL: the database's clock).
-- Answers the state.
with moment as (
    select coalesce(%(at)s, clock_timestamp()) as at
),

host as (
    select
        h.source,
        t.at,
        coalesce(h.blocked_until <= t.at, true) as is_new,
        greatest(
            %(least)s::double precision,
            coalesce(
                %(told)s::double precision,
                least(
                    %(longest)s::double precision,
                    %(first)s::double precision
                    * 2 ^ least(h.blocked_count - coalesce(h.blocked_until > t.at, false)::integer, 30)
                )
            )
        ) as seconds
    from ops.circuit as h
    cross join moment as t
    where h.source = %(source)s
    for update of h
)

update ops.circuit as c
set
    blocked_until = greatest(c.blocked_until, n.at + make_interval(secs => n.seconds)),
    blocked_reason = %(reason)s,
    blocked_count = c.blocked_count + n.is_new::integer,
    last_error = %(error)s,
    state = case when c.state = 'half_open' then 'open' else c.state end,
    retry_at = case
        when c.state = 'half_open' then n.at + make_interval(secs => n.seconds)
        else c.retry_at
    end,
    changed_at = case when c.state = 'half_open' then n.at else c.changed_at end
from host as n
where c.source = n.source
returning c.state::text
