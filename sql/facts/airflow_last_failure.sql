-- When the newest failed run of each DAG ended. No parameters.
select
    r.dag_id,
    extract(epoch from max(r.end_date))::float8 as dag_last_failure_timestamp_seconds
from dag_run as r
inner join dag as d on r.dag_id = d.dag_id and not d.is_stale
where r.state = 'failed' and r.end_date is not null
group by r.dag_id
order by r.dag_id
