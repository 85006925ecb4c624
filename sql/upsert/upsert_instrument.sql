-- Stores an instrument, or brings it in line with the configuration until the venue itself was asked.
-- Key: venue, symbol. Parameters: venue, symbol, venue_symbol, listed_at.
insert into market.instrument (venue, symbol, venue_symbol, listed_at)
values (%(venue)s, %(symbol)s, %(venue_symbol)s, %(listed_at)s)
on conflict (venue, symbol) do update set
    venue_symbol = excluded.venue_symbol,
    listed_at = excluded.listed_at
where
    market.instrument.resolved_at is null
    and (market.instrument.venue_symbol, market.instrument.listed_at) is distinct from
    (excluded.venue_symbol, excluded.listed_at)
