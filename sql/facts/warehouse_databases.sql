-- Size and sessions of each database of the server that this role may look at, but for those in which a backup is
-- restored for its verification: each would be a series for an hour. No parameters.
select
    d.datname::text as of_database,
    pg_database_size(d.oid)::float8 as database_size_bytes,
    coalesce(s.numbackends, 0)::float8 as database_connections
from pg_database as d
left join pg_stat_database as s on d.oid = s.datid
where
    not d.datistemplate
    and d.datname !~ '_restoring_[0-9a-f]{8}(_old)?$'
    and (pg_has_role('pg_read_all_stats', 'usage') or has_database_privilege(d.oid, 'connect'))
order by d.datname
