-- What the venue's own listing says of an instrument: its status in the venue's word, and when it was last asked.
-- Until then name and listing time are what the configuration says.

alter table market.instrument
add column status text,
add column is_trading boolean,
add column resolved_at timestamptz,
drop constraint instrument_venue_venue_symbol_key; -- a venue may give a delisted market's name to another

comment on column market.instrument.status is 'The venue''s own word; `unlisted` where it does not know the market.';
comment on column market.instrument.resolved_at is 'When the venue''s listing was last asked; NULL: never.';
comment on column market.instrument.delisted_at is 'First open time the venue no longer made candles for.';
