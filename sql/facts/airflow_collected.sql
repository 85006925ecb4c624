-- That this database answered, and when. No parameters.
select
    'airflow' as of_database,
    extract(epoch from clock_timestamp())::float8 as facts_collected_timestamp_seconds
