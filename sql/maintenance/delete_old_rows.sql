-- Removes at most `most` rows of a table older than a time; answers how many, and the bytes they took. Who comes at the
-- same time takes others. Names: table, at. Parameters: older_than, most.
with old as (
    select o.ctid
    from {{ table }} as o
    where o.{{ at }} < %(older_than)s
    order by o.{{ at }}
    limit %(most)s
    for update skip locked
),

removed as (
    delete from {{ table }} as t
    using old
    where t.ctid = old.ctid
    returning pg_column_size(t) as byte_count
)

select
    count(*) as row_count,
    coalesce(sum(r.byte_count), 0)::bigint as byte_count
from removed as r
