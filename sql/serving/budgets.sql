-- Budget and circuit of each host, a row per limit; a host without an active limit has its circuit alone.
-- Parameters: limit.
select
    c.source,
    c.state::text as circuit,
    c.reason as circuit_reason,
    c.opened_at,
    c.retry_at,
    c.failure_count,
    h.blocked_for_seconds,
    c.blocked_until,
    c.blocked_reason,
    c.last_error,
    c.changed_at,
    h.window_seconds,
    h.units,
    h.capacity,
    h.refill_per_second,
    h.tokens_left,
    h.requests_this_hour,
    h.weight_this_hour,
    h.requests_this_month,
    h.weight_this_month
from ops.circuit as c
left join ops.host_state as h using (source)
order by c.source asc, h.window_seconds asc
limit %(limit)s
