-- When the next scheduled run of each DAG may start. No parameters.
select
    d.dag_id,
    extract(epoch from d.next_dagrun_create_after)::float8 as dag_next_run_due_timestamp_seconds
from dag as d
where not d.is_stale and not d.is_paused and d.next_dagrun_create_after is not null
order by d.dag_id
