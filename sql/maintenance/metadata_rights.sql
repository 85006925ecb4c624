-- What the role airflow_janitor may do in Airflow's metadata database: read and delete the history that
-- `airflow db clean` trims, and write its own line of the audit log. No connection, variable, pool, user or DAG.
-- Run by the database's owner after every `airflow db migrate` and at every start; repeatable. Celery's tables of
-- results are made by the first worker, after the first run of this: the next one grants them, until then they are not
-- trimmed.
grant usage, create on schema public to airflow_janitor; -- the command sets rows aside before it deletes them
grant select, delete on
asset_event, callback, dag_run, dag_version, deadline, import_error, job, log, partitioned_asset_key_log, revoked_token,
task_instance, task_instance_history, task_reschedule, task_state_store, trigger, xcom to airflow_janitor;
grant select on asset_partition_dag_run to airflow_janitor;
grant insert on log to airflow_janitor;
grant usage on sequence log_id_seq to airflow_janitor;
do $$
begin
    if to_regclass('public.celery_taskmeta') is not null then
        grant select, delete on public.celery_taskmeta to airflow_janitor;
    end if;
    if to_regclass('public.celery_tasksetmeta') is not null then
        grant select, delete on public.celery_tasksetmeta to airflow_janitor;
    end if;
end
$$;
