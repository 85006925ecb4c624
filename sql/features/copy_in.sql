-- Takes feature rows in PostgreSQL's binary format. Names: columns. No parameters.
copy feature_staging ({{ columns | join(', ') }}) from stdin with (format binary)
