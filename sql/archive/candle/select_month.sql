-- One month of candles of an instrument and timeframe in order, as the archive holds them.
-- Names: columns. Parameters: instrument_id, timeframe, starts_at, ends_at.
select {{ columns | join(', ') }}
from market.candle
where
    instrument_id = %(instrument_id)s and timeframe = %(timeframe)s::market.timeframe
    and opened_at >= %(starts_at)s and opened_at < %(ends_at)s
order by opened_at
