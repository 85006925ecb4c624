-- Coins that have features, and the market that speaks for each. No parameters.
select
    p.crypto,
    p.instrument_id,
    p.venue,
    p.symbol
from features.coin_instrument as p
order by p.crypto
