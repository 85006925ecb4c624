-- Ask for one request's weight; see ops.take_tokens for the answers.
-- Parameters: source, weight, priority, reserve, has_turn, probe_seconds, at (NULL: the database's clock).
select t.outcome, t.wait_seconds, t.reason, t.is_troubled, t.is_probe
from ops.take_tokens(
    %(source)s, %(weight)s, %(priority)s, %(reserve)s, %(has_turn)s, %(probe_seconds)s, %(at)s
) as t
