-- Tables that `airflow db clean` made for rows it was about to delete, and was killed before it dropped.
select count(*)
from pg_tables as t
where starts_with(t.tablename, '_airflow_deleted__')
