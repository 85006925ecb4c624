-- What each task that wrote did, the newest first. A try that was put off reports once each time it works: its work
-- is then shorter than from started_at, which is reckoned back from its end.
-- Parameters: dag_id (NULL: all), readable (ids that may be seen; NULL: all), starts_at, ends_at (half-open window of
-- when they finished; NULL: all), after_finished_at, after_dag_id, after_run_id, after_task_id, after_map_index,
-- after_try_number, limit.
select
    r.dag_id,
    r.run_id,
    r.task_id,
    r.map_index,
    r.try_number,
    r.window_starts_at,
    r.window_ends_at,
    r.finished_at - make_interval(secs => r.work_seconds) as started_at,
    r.finished_at,
    r.work_seconds,
    r.wait_seconds,
    r.rows_new,
    r.rows_changed,
    r.rows_unchanged,
    r.rows_rejected
from ops.pipeline_run as r
where
    (%(dag_id)s::text is null or r.dag_id = %(dag_id)s)
    and (%(readable)s::text[] is null or r.dag_id = any(%(readable)s::text[]))
    and (%(starts_at)s::timestamptz is null or r.finished_at >= %(starts_at)s)
    and (%(ends_at)s::timestamptz is null or r.finished_at < %(ends_at)s)
    and (
        %(after_finished_at)s::timestamptz is null
        or (r.finished_at, r.dag_id, r.run_id, r.task_id, r.map_index, r.try_number)
        < (
            %(after_finished_at)s::timestamptz, %(after_dag_id)s::text, %(after_run_id)s::text,
            %(after_task_id)s::text, %(after_map_index)s::integer, %(after_try_number)s::integer
        )
    )
order by r.finished_at desc, r.dag_id desc, r.run_id desc, r.task_id desc, r.map_index desc, r.try_number desc
limit %(limit)s
