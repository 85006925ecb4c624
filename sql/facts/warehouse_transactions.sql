-- The oldest open transaction of this database; without one, now. No row where this role may not see others'. No
-- parameters.
select
    extract(
        epoch from coalesce(min(a.xact_start) filter (where a.pid <> pg_backend_pid()), clock_timestamp())
    )::float8 as database_oldest_transaction_timestamp_seconds
from pg_stat_activity as a
where a.datname = current_database() and a.backend_type = 'client backend'
having pg_has_role('pg_read_all_stats', 'usage')
