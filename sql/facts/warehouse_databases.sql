-- Size and sessions of each database of the server that this role may look at. No parameters.
select
    d.datname::text as of_database,
    pg_database_size(d.oid)::float8 as database_size_bytes,
    coalesce(s.numbackends, 0)::float8 as database_connections
from pg_database as d
left join pg_stat_database as s on d.oid = s.datid
where
    not d.datistemplate
    and (pg_has_role('pg_read_all_stats', 'usage') or has_database_privilege(d.oid, 'connect'))
order by d.datname
