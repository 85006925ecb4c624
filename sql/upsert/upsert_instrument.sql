-- Stores an instrument or brings it in line with the configuration. Key: venue, symbol.
-- Parameters: venue, symbol, venue_symbol, listed_at. Answers instrument_id.
insert into market.instrument (venue, symbol, venue_symbol, listed_at)
values (%(venue)s, %(symbol)s, %(venue_symbol)s, %(listed_at)s)
on conflict (venue, symbol) do update set
    venue_symbol = excluded.venue_symbol,
    listed_at = excluded.listed_at
returning instrument_id
