-- The newest verified backup of each database. No parameters.
select
    b.database as of_database,
    extract(epoch from max(b.finished_at))::float8 as backup_last_success_timestamp_seconds
from ops.backup as b
group by b.database
order by b.database
