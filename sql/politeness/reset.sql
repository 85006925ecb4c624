-- Close a host's circuit and lift its block, by hand. Keys and parameters: source. Answers a row where there is one.
update ops.circuit as c
set
    state = 'closed',
    reason = null,
    opened_at = null,
    retry_at = null,
    opened_count = 0,
    failure_count = 0,
    blocked_until = null,
    blocked_reason = null,
    blocked_count = 0,
    changed_at = case when c.state = 'closed' then c.changed_at else clock_timestamp() end
where c.source = %(source)s
returning c.source
