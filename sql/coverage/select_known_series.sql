-- Series of which anything is known, by venue, symbol and timeframe. No parameters.
select s.instrument_id, s.venue, s.symbol, s.timeframe::text
from market.series as s
order by s.venue, s.symbol, s.timeframe
