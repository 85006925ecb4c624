-- What one task instance did. Key: dag_id, run_id, task_id, map_index, try_number. Parameters: the columns by name.
-- A try that was put off, to wait for a venue, reports once each time it works: its sums grow.
insert into ops.pipeline_run (
    dag_id, run_id, task_id, map_index, try_number, window_starts_at, window_ends_at,
    rows_new, rows_changed, rows_unchanged, rows_rejected, work_seconds, wait_seconds, finished_at
)
values (
    %(dag_id)s, %(run_id)s, %(task_id)s, %(map_index)s, %(try_number)s, %(window_starts_at)s, %(window_ends_at)s,
    %(rows_new)s, %(rows_changed)s, %(rows_unchanged)s, %(rows_rejected)s, %(work_seconds)s, %(wait_seconds)s,
    %(finished_at)s
)
on conflict (dag_id, run_id, task_id, map_index, try_number) do update set
    rows_new = pipeline_run.rows_new + excluded.rows_new,
    rows_changed = pipeline_run.rows_changed + excluded.rows_changed,
    rows_unchanged = pipeline_run.rows_unchanged + excluded.rows_unchanged,
    rows_rejected = pipeline_run.rows_rejected + excluded.rows_rejected,
    work_seconds = pipeline_run.work_seconds + excluded.work_seconds,
    wait_seconds = pipeline_run.wait_seconds + excluded.wait_seconds,
    finished_at = excluded.finished_at
