-- Instruments with candles of a timeframe, and when a candle of theirs can be expected first and no longer.
-- Parameter: timeframe.
select
    i.instrument_id,
    i.venue,
    i.symbol,
    i.base,
    i.quote,
    first_candle.opened_at as expected_from,
    i.delisted_at as expected_until
from market.instrument as i
inner join
    lateral (
        select c.opened_at
        from market.candle as c
        where c.instrument_id = i.instrument_id and c.timeframe = %(timeframe)s
        order by c.opened_at
        limit 1
    ) as first_candle
    on true
order by i.base, i.venue, i.symbol
