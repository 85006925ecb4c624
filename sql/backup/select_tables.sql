-- Every table that holds rows of its own, extensions' and the system's left out. No parameters.
select
    n.nspname as schema_name,
    c.relname as table_name
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
where
    c.relkind in ('r', 'm')
    and c.relpersistence <> 't'
    and n.nspname not in ('pg_catalog', 'information_schema')
    and n.nspname !~ '^pg_(toast|temp)'
order by n.nspname, c.relname;
