-- The 30 largest tables with their indexes, all partitions of one together. No parameters.
select
    format('%s.%s', r.relnamespace::regnamespace, r.relname) as of_table,
    sum(pg_total_relation_size(s.relid))::float8 as table_size_bytes,
    sum(s.n_live_tup)::float8 as table_rows,
    sum(s.n_dead_tup)::float8 as table_dead_rows
from pg_stat_user_tables as s
inner join pg_class as r on r.oid = coalesce(pg_partition_root(s.relid), s.relid)
group by r.relnamespace, r.relname
order by table_size_bytes desc, r.relnamespace asc, r.relname asc
limit 30
