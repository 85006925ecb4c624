-- Series that have features, with their market's name. Key: instrument_id, timeframe. No parameters.
select
    d.instrument_id,
    d.timeframe::text,
    i.venue || ':' || i.symbol as market
from features.definition as d
inner join market.instrument as i on d.instrument_id = i.instrument_id
order by d.instrument_id, d.timeframe
