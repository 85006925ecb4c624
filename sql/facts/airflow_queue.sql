-- How many task instances wait or work, by state: one look into the index per state. No parameters.
select
    w.state,
    (select count(*) from task_instance as i where i.state = w.state)::float8 as queue_tasks
from
    unnest(
        array['scheduled', 'queued', 'running', 'deferred', 'restarting', 'up_for_retry', 'up_for_reschedule']
    ) as w (state)
order by w.state
