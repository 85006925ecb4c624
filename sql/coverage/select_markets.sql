-- Instruments as markets. No parameters.
select i.instrument_id, i.venue, i.symbol, i.venue_symbol, i.listed_at
from market.instrument as i
