-- Requests and weight let through to a host since a time; its whole UTC hour counts.
-- Parameters: source, since (NULL: the start of this UTC month by the database's clock).
select
    coalesce(sum(u.requests), 0)::bigint as requests,
    coalesce(sum(u.weight), 0)::double precision as weight
from ops.request_usage as u
where
    u.source = %(source)s
    and u.hour >= coalesce(
        date_trunc('hour', %(since)s::timestamptz, 'UTC'), date_trunc('month', clock_timestamp(), 'UTC')
    )
