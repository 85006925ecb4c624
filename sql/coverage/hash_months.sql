-- SHA-256 over the candles of each month of a series, in the form include/warehouse/archive_file.py hashes them in:
-- one line per candle in order of open times, open time and values joined by `|`, decimals without trailing zeros,
-- nothing for NULL, a line feed at the end. Parameters: instrument_id, timeframe, starts_at, ends_at.
-- Answers the month (its first day) and the hash.
select
    date_trunc('month', c.opened_at at time zone 'UTC')::date as month,
    encode(
        sha256(
            convert_to(
                string_agg(
                    to_char(c.opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')
                    || '|' || trim_scale(c.open)::text
                    || '|' || trim_scale(c.high)::text
                    || '|' || trim_scale(c.low)::text
                    || '|' || trim_scale(c.close)::text
                    || '|' || trim_scale(c.base_volume)::text
                    || '|' || coalesce(trim_scale(c.quote_volume)::text, '')
                    || '|' || coalesce(c.trade_count::text, '')
                    || '|' || coalesce(trim_scale(c.vwap)::text, '')
                    || '|' || coalesce(trim_scale(c.taker_buy_base_volume)::text, '')
                    || '|' || coalesce(trim_scale(c.taker_buy_quote_volume)::text, '')
                    || chr(10),
                    '' order by c.opened_at
                ),
                'UTF8'
            )
        ),
        'hex'
    ) as candles_sha256
from market.candle as c
where
    c.instrument_id = %(instrument_id)s and c.timeframe = %(timeframe)s::market.timeframe
    and c.opened_at >= %(starts_at)s and c.opened_at < %(ends_at)s
group by 1
