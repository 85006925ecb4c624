-- An instrument as it is stored. Key: venue, symbol. Parameters: venue, symbol.
select
    instrument_id,
    venue_symbol,
    listed_at,
    delisted_at,
    status,
    resolved_at,
    is_trading
from market.instrument
where venue = %(venue)s and symbol = %(symbol)s
