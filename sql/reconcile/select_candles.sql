-- Candles of all instruments that open in [starts_at, ends_at), as they are compared: approximately.
-- Parameters: timeframe, starts_at, ends_at, instruments (ids).
select
    instrument_id,
    extract(epoch from opened_at)::bigint as opened_seconds,
    open::float8,
    high::float8,
    low::float8,
    close::float8,
    base_volume::float8,
    quote_volume::float8
from market.candle
where
    instrument_id = any(%(instruments)s)
    and timeframe = %(timeframe)s
    and opened_at >= %(starts_at)s
    and opened_at < %(ends_at)s
