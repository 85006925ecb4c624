-- How many sessions the server admits. No parameters.
select current_setting('max_connections')::float8 as database_max_connections
