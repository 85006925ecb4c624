-- Takes feature rows in PostgreSQL's binary format. Names: columns. No parameters.
-- The format is quoted because sqlfluff cannot read the bare word.
copy feature_staging ({{ columns | join(', ') }}) from stdin with (format "binary")
