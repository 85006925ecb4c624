-- When completeness was last counted. No parameters.
select extract(epoch from max(c.counted_at))::float8 as coverage_counted_timestamp_seconds
from ops.coverage_count as c
having count(*) > 0
