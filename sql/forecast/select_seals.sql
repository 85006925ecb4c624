-- The triggers of ml.forecast, and whether they fire in an ordinary session. Key: tgname. No parameters.
select
    t.tgname,
    t.tgenabled in ('O', 'A') as is_on
from pg_trigger as t
where t.tgrelid = 'ml.forecast'::regclass and not t.tgisinternal
