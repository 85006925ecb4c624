-- What the role monitor may read of Airflow's metadata: the columns sql/facts names. Run by the owner of its tables,
-- after each of Airflow's own migrations. No parameters.
grant select (dag_id, is_paused, is_stale, next_dagrun_create_after) on dag to monitor;
grant select (id, dag_id, state, start_date, end_date) on dag_run to monitor;
grant select (
    state, pool, pool_slots, scheduled_dttm, queued_dttm, start_date, last_heartbeat_at
) on task_instance to monitor;
grant select (pool, slots) on slot_pool to monitor;
grant select (dagrun_id, missed) on deadline to monitor;
