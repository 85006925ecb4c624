-- Tells consumers that a month of candles is back in the table.
-- Parameters: instrument_id, timeframe, starts_at, ends_at, recorded_at.
insert into ops.change_range (dataset, instrument_id, timeframe, starts_at, ends_at, recorded_at)
values (
    'candle', %(instrument_id)s, %(timeframe)s::market.timeframe, %(starts_at)s, %(ends_at)s, %(recorded_at)s
)
