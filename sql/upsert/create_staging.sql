-- Makes (once per session) and empties a temporary table to COPY into; its columns take their types from the target.
-- Names: staging, target, columns. No parameters. Lives until the session ends, its rows until the commit.
create temporary table if not exists {{ staging }} on commit delete rows as
select {{ columns | join(', ') }} from {{ target }}
with no data;
truncate {{ staging }};
