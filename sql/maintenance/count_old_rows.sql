-- Rows of a table older than a time, and the bytes they take. Names: table, at. Parameter: older_than.
select
    count(*) as row_count,
    coalesce(sum(pg_column_size(t)), 0)::bigint as byte_count
from {{ table }} as t
where t.{{ at }} < %(older_than)s
