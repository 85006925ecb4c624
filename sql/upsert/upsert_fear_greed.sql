-- Passes on from fear_greed_staging to market.fear_greed only what is new or differs, in one statement.
-- Replaced values go to market.fear_greed_revision, what was written to ops.change_range as contiguous ranges of days.
-- Key: day. A repeat writes nothing. Parameters: source, recorded_at. Answers one row: new, changed.
with differing as materialized (
    select s.*, t.day is not null as is_known
    from fear_greed_staging as s
    left join market.fear_greed as t using (day)
    where
        t.day is null
        or (s.value, s.classification, s.published_at) is distinct from (t.value, t.classification, t.published_at)
),

revised as (
    insert into market.fear_greed_revision (
        day, value, classification, published_at, recorded_at, superseded_at, source
    )
    select t.day, t.value, t.classification, t.published_at, t.recorded_at, %(recorded_at)s as superseded_at, t.source
    from market.fear_greed as t
    inner join differing using (day)
    order by t.day
),

written as (
    insert into market.fear_greed (day, value, classification, published_at, recorded_at, source)
    select d.day, d.value, d.classification, d.published_at, %(recorded_at)s, %(source)s
    from differing as d
    order by d.day
    on conflict (day) do update set
        value = excluded.value,
        classification = excluded.classification,
        published_at = excluded.published_at,
        recorded_at = excluded.recorded_at,
        source = excluded.source
),

placed as (
    select day, day - row_number() over (order by day)::integer as island
    from differing
),

noted as (
    insert into ops.change_range (dataset, starts_at, ends_at, recorded_at)
    select
        'fear_greed',
        min(day)::timestamp at time zone 'UTC',
        (max(day) + 1)::timestamp at time zone 'UTC',
        %(recorded_at)s
    from placed
    group by island
    order by min(day)
)

select
    count(*) filter (where not is_known) as new,
    count(*) filter (where is_known) as changed
from differing
