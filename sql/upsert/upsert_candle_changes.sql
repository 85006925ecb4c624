-- Notes for others which contiguous ranges of candles were written.
-- Parameters: instrument_id, timeframe, recorded_at; starts_at, ends_at: arrays, half-open ranges.
insert into ops.change_range (dataset, instrument_id, timeframe, starts_at, ends_at, recorded_at)
select
    'candle',
    %(instrument_id)s,
    %(timeframe)s::market.timeframe,
    w.starts_at,
    w.ends_at,
    %(recorded_at)s
from unnest(%(starts_at)s::timestamptz[], %(ends_at)s::timestamptz[]) as w (starts_at, ends_at)
order by w.starts_at
