-- Slots of each pool, and those held by running tasks without a sign of life for five minutes. No parameters.
with silent as (
    select
        i.pool,
        sum(i.pool_slots) as slots
    from task_instance as i
    where i.state = 'running' and coalesce(i.last_heartbeat_at, i.start_date) < clock_timestamp() - interval '5 minutes'
    group by i.pool
)

select
    p.pool,
    p.slots::float8 as pool_slots,
    coalesce(s.slots, 0)::float8 as pool_leaked_slots
from slot_pool as p
left join silent as s on p.pool = s.pool
order by p.pool
