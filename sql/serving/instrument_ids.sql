-- The markets there are. No parameters.
select
    i.venue,
    i.symbol,
    i.instrument_id
from market.instrument as i
order by i.venue, i.symbol
