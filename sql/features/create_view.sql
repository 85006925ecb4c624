-- The view crypto_prices over the registry's columns; key crypto, timestamp. Names: columns. No parameters.
-- timestamp is the moment from which the row was known, the candle's close: price is the price at that moment,
-- and a forecast made at that moment may use every column of the row.
create view public.crypto_prices as
select
    p.crypto,
    c.opened_at + interval '1 hour' as timestamp,
    c.open,
    c.high,
    c.low,
    c.close as price,
    c.base_volume as volume,
    c.quote_volume,
    {% for column in columns %}f.{{ column }},
    {% endfor %}c.opened_at,
    p.venue,
    p.symbol,
    (select w.world from ops.world as w) as world
from features.coin_instrument as p
inner join features.candle_feature as f on p.instrument_id = f.instrument_id and f.timeframe = '1h'
inner join market.candle as c
    on f.instrument_id = c.instrument_id and c.timeframe = '1h' and f.opened_at = c.opened_at
