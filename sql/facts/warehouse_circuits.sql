-- The circuit of each source that was ever asked. No parameters.
select
    c.source as venue,
    case c.state when 'closed' then 0 when 'half_open' then 1 when 'open' then 2 end::float8 as circuit_state
from ops.circuit as c
order by c.source
