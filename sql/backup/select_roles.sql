-- Roles that something in this database belongs to or was granted to. No parameters.
select distinct r.rolname
from pg_catalog.pg_shdepend as s
inner join pg_catalog.pg_database as d on s.dbid = d.oid
inner join pg_catalog.pg_roles as r on s.refobjid = r.oid
where
    s.refclassid = 'pg_catalog.pg_authid'::regclass
    and d.datname = pg_catalog.current_database()
order by r.rolname;
