-- Count a failure; at the threshold, and where it was a half-open circuit's one request, the circuit opens: as long as
-- the host said, or doubling with each opening that follows another.
-- Requests that were under way when it opened may lengthen that, by what they were told; they open it no second time.
-- Key: source. Parameters: source, reason, told (seconds, NULL where the host did not say), first and longest
-- (seconds), threshold (failures in a row), error, at (NULL: the database's clock). Answers the state.
with moment as (
    select coalesce(%(at)s, clock_timestamp()) as at
),

host as (
    select
        h.source,
        t.at,
        h.state = 'half_open' or (h.state = 'closed' and h.failure_count + 1 >= %(threshold)s) as opens,
        coalesce(
            %(told)s::double precision,
            least(%(longest)s::double precision, %(first)s::double precision * 2 ^ least(h.opened_count, 30))
        ) as seconds
    from ops.circuit as h
    cross join moment as t
    where h.source = %(source)s
    for update of h
)

update ops.circuit as c
set
    failure_count = c.failure_count + 1,
    last_error = %(error)s,
    state = case when n.opens then 'open' else c.state end,
    reason = case when n.opens then %(reason)s else c.reason end,
    opened_at = case when n.opens and c.state = 'closed' then n.at else c.opened_at end,
    opened_count = c.opened_count + n.opens::integer,
    retry_at = case
        when n.opens then n.at + make_interval(secs => n.seconds)
        when c.state = 'open' then greatest(c.retry_at, n.at + make_interval(secs => %(told)s::double precision))
        else c.retry_at
    end,
    changed_at = case when n.opens then n.at else c.changed_at end
from host as n
where c.source = n.source
returning c.state::text
