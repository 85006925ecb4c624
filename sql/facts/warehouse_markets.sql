-- Which markets are configured, of those whose completeness is counted. No parameters.
select
    i.venue,
    i.symbol,
    bool_or(c.is_configured)::integer::float8 as market_configured
from ops.coverage_count as c
inner join market.instrument as i using (instrument_id)
group by i.venue, i.symbol
order by i.venue, i.symbol
