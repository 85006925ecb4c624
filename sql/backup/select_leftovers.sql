-- Scratch databases, which only exist while their maker holds the lock. No parameters.
select d.datname
from pg_catalog.pg_database as d
where d.datname ~ '_restoring_[0-9a-f]{8}(_old)?$';
