-- The host answered as it should: a half-open circuit closes, and what failed before counts no more.
-- An open one stays open: the answer is to a request that was sent before. A block stays as long as it was to last.
-- Key: source. Parameters: source, at (NULL: the database's clock). Answers the state.
update ops.circuit as c
set
    state = 'closed',
    reason = null,
    opened_at = null,
    retry_at = null,
    opened_count = 0,
    failure_count = 0,
    blocked_count = case when c.blocked_until > n.at then c.blocked_count else 0 end,
    changed_at = case when c.state = 'half_open' then n.at else c.changed_at end
from (select coalesce(%(at)s, clock_timestamp()) as at) as n
where c.source = %(source)s and c.state <> 'open'
returning c.state::text
