-- Removes a month of candles that the archive holds. Parameters: instrument_id, timeframe, starts_at, ends_at.
delete from market.candle
where
    instrument_id = %(instrument_id)s and timeframe = %(timeframe)s::market.timeframe
    and opened_at >= %(starts_at)s and opened_at < %(ends_at)s
