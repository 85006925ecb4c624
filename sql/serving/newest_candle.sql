-- When a market's newest candle of a timeframe closed, and when the market was delisted; NULL: never.
-- Parameters: instrument_id, timeframe.
select
    (
        select c.opened_at + market.step(c.timeframe)
        from market.candle as c
        where c.instrument_id = i.instrument_id and c.timeframe = %(timeframe)s::market.timeframe
        order by c.opened_at desc
        limit 1
    ) as closed_at,
    i.delisted_at
from market.instrument as i
where i.instrument_id = %(instrument_id)s
