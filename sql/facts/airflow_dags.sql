-- Each DAG that has a file: whether it is paused, and how many deadlines of its runs were missed. No parameters.
with missed as (
    select
        r.dag_id,
        count(*) as deadlines
    from deadline as l
    inner join dag_run as r on l.dagrun_id = r.id
    where l.missed
    group by r.dag_id
)

select
    d.dag_id,
    d.is_paused::integer::float8 as dag_paused,
    coalesce(m.deadlines, 0)::float8 as dag_deadlines_missed
from dag as d
left join missed as m on d.dag_id = m.dag_id
where not d.is_stale
order by d.dag_id
