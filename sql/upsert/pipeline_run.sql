-- What one task instance wrote. Key: dag_id, run_id, task_id, map_index, try_number.
-- Parameters: the columns by name.
insert into ops.pipeline_run (
    dag_id, run_id, task_id, map_index, try_number, window_starts_at, window_ends_at,
    rows_new, rows_changed, rows_unchanged, rows_rejected, finished_at
)
values (
    %(dag_id)s, %(run_id)s, %(task_id)s, %(map_index)s, %(try_number)s, %(window_starts_at)s, %(window_ends_at)s,
    %(rows_new)s, %(rows_changed)s, %(rows_unchanged)s, %(rows_rejected)s, %(finished_at)s
)
on conflict (dag_id, run_id, task_id, map_index, try_number) do nothing
