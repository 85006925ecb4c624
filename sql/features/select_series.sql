-- Series that have features. Key: instrument_id, timeframe. No parameters.
select d.instrument_id, d.timeframe::text
from features.definition as d
order by d.instrument_id, d.timeframe
