-- When the oldest run of each DAG that still runs was started. No parameters.
select
    r.dag_id,
    extract(epoch from min(r.start_date))::float8 as dag_oldest_unfinished_run_timestamp_seconds
from dag_run as r
where r.state = 'running' and r.start_date is not null
group by r.dag_id
order by r.dag_id
