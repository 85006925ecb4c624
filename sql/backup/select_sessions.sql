-- Who is connected to a database, besides this session. Parameters: database.
select coalesce(string_agg(distinct a.usename || ' (' || a.application_name || ')', ', '), '') as sessions
from pg_catalog.pg_stat_activity as a
where
    a.datname = %(database)s
    and a.backend_type = 'client backend'
    and a.pid <> pg_catalog.pg_backend_pid();
