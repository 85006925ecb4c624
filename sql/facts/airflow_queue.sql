-- How many task instances wait or work, by state. No parameters.
select
    w.state,
    count(i.state)::float8 as queue_tasks
from
    unnest(
        array['scheduled', 'queued', 'running', 'deferred', 'restarting', 'up_for_retry', 'up_for_reschedule']
    ) as w (state)
left join task_instance as i on w.state = i.state
group by w.state
order by w.state
