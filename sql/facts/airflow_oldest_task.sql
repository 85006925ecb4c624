-- Since when the task waits that has waited for longest to be started; without one, now. No parameters.
select
    extract(
        epoch from coalesce(min(coalesce(i.scheduled_dttm, i.queued_dttm)), clock_timestamp())
    )::float8 as queue_oldest_task_timestamp_seconds
from task_instance as i
where i.state in ('scheduled', 'queued')
