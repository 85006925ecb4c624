-- Candles of one market, as the view ohlcv has them.
-- Parameters: instrument_id, timeframe, starts_at, ends_at (half-open window of open times), after_opened_at, limit.
select
    i.venue,
    i.symbol,
    %(timeframe)s::text as timeframe,
    c.opened_at,
    c.open,
    c.high,
    c.low,
    c.close,
    c.base_volume as volume,
    c.quote_volume,
    c.trade_count,
    c.vwap,
    c.taker_buy_base_volume,
    c.taker_buy_quote_volume,
    c.source,
    c.recorded_at
from market.candle as c
inner join market.instrument as i using (instrument_id)
where
    c.instrument_id = %(instrument_id)s
    and c.timeframe = %(timeframe)s::market.timeframe
    and c.opened_at >= %(starts_at)s
    and c.opened_at < %(ends_at)s
    and (%(after_opened_at)s::timestamptz is null or c.opened_at > %(after_opened_at)s)
order by c.opened_at
limit %(limit)s
