-- Which of the tables are there and may be read and deleted from by whoever asks.
-- Parameters: names (text[], of the schema public).
select n.name
from unnest(%(names)s::text[]) as n (name)
where
    has_table_privilege(to_regclass('public.' || n.name), 'select')
    and has_table_privilege(to_regclass('public.' || n.name), 'delete')
order by n.name
