-- Stores what the venue's listing says. A market that trades again is no longer delisted. Key: instrument_id.
-- Parameters: instrument_id, venue_symbol, status, is_trading, listed_at, delisted_at, resolved_at.
update market.instrument
set
    venue_symbol = %(venue_symbol)s,
    status = %(status)s,
    is_trading = %(is_trading)s,
    listed_at = %(listed_at)s,
    delisted_at = case when not %(is_trading)s then %(delisted_at)s::timestamptz end,
    resolved_at = %(resolved_at)s
where instrument_id = %(instrument_id)s
