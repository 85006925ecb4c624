-- Whether the run of each DAG that ended last had failed. No parameters.
select
    r.dag_id,
    (
        coalesce(max(r.end_date) filter (where r.state = 'failed'), '-infinity')
        > coalesce(max(r.end_date) filter (where r.state = 'success'), '-infinity')
    )::integer::float8 as dag_last_run_failed
from dag_run as r
inner join dag as d on r.dag_id = d.dag_id and not d.is_stale
where r.state in ('success', 'failed') and r.end_date is not null
group by r.dag_id
order by r.dag_id
