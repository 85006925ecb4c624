-- A selection's rows as JSON, written by the database: decimals keep every digit. Names: selection (a file of this
-- folder), key (the columns it is paged by). Parameters: the selection's.
select
    row_to_json(page)::text as document{% for column in key %},
    page.{{ column }}{% endfor %}

from (
    {% filter indent(4) %}{% include "serving/" ~ selection ~ ".sql" %}{% endfilter %}

) as page
