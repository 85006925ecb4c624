-- Completeness of each series as it was last counted. No parameters.
select
    i.venue,
    i.symbol,
    c.timeframe::text as timeframe,
    c.unknown::float8 as coverage_unknown,
    case when c.expected = 0 then 1 else c.observed::float8 / c.expected end as coverage_held_ratio
from ops.coverage_count as c
inner join market.instrument as i using (instrument_id)
order by i.venue, i.symbol, c.timeframe
