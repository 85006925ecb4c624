-- The id of an instrument that is stored exactly so. Parameters: venue, symbol, venue_symbol, listed_at.
select instrument_id
from market.instrument
where
    venue = %(venue)s and symbol = %(symbol)s
    and venue_symbol = %(venue_symbol)s and listed_at = %(listed_at)s
