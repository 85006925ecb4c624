-- Columns of a public view in order, and whether each is a point in time. Parameters: view.
select
    column_name::text as name,
    data_type = 'timestamp with time zone' as is_time
from information_schema.columns
where table_schema = 'public' and table_name = %(view)s
order by ordinal_position
