-- Who may do what with a database as a whole; dumps leave that out. Parameters: database. No row: no such database.
select
    pg_catalog.pg_get_userbyid(d.datdba) as owner,
    coalesce(r.rolname, 'public') as grantee,
    a.privilege_type
from pg_catalog.pg_database as d
cross join lateral pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) as a
left join pg_catalog.pg_roles as r on a.grantee = r.oid
where d.datname = %(database)s
order by grantee, a.privilege_type;
