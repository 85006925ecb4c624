-- The largest tables with their size and dead rows, which autovacuum is to keep few. Parameter: most.
select
    s.schemaname || '.' || s.relname as table_name,
    pg_total_relation_size(s.relid) as byte_count,
    s.n_live_tup as live_rows,
    s.n_dead_tup as dead_rows,
    greatest(s.last_vacuum, s.last_autovacuum) as vacuumed_at
from pg_stat_user_tables as s
order by pg_total_relation_size(s.relid) desc, s.relid asc
limit %(most)s
