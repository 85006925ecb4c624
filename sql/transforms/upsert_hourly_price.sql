-- Brings mart.hourly_price in line with a coin's candles of one hour in [starts_at, ends_at), flagged ones aside.
-- A venue's price of an hour is its vwap where it publishes one, else quote by base volume, either only where it lies
-- within low and high; else the mean of open, high, low and close. The hour's is the mean of these, each venue alike,
-- rounded to 12 decimals. Numbers are stored without trailing zeros, so that no order of arrival shows in them.
-- Keys: crypto, quote, hour_at. Parameters: crypto, starts_at, ends_at, recorded_at, price_rules (flags that leave a
-- candle out). Answers one row: new, changed, removed. A repeat writes nothing.
{% from 'transforms/merge.jinja' import merge -%}
with candle as (
    select
        c.*,
        i.quote,
        flags.is_flagged,
        case
            when c.vwap between c.low and c.high then 'vwap'
            when
                c.base_volume > 0
                and c.quote_volume between c.low * c.base_volume and c.high * c.base_volume
                then 'volume'
            else 'ohlc'
        end as method
    from market.instrument as i
    inner join market.candle as c using (instrument_id)
    cross join
        lateral (
            select count(*) > 0 as is_flagged
            from mart.candle_flag as f
            where
                f.instrument_id = c.instrument_id
                and f.timeframe = c.timeframe
                and f.opened_at = c.opened_at
                and f.rule = any(%(price_rules)s::text[])
        ) as flags
    where
        i.base = %(crypto)s
        and c.timeframe = '1h'
        and c.opened_at >= %(starts_at)s
        and c.opened_at < %(ends_at)s
),

hour as (
    select
        %(crypto)s::text as crypto,
        c.quote,
        c.opened_at as hour_at,
        avg(
            case c.method
                when 'vwap' then c.vwap
                when 'volume' then c.quote_volume / c.base_volume
                else (c.open + c.high + c.low + c.close) * 0.25
            end
        ) filter (where not c.is_flagged) as mean_price,
        min(c.low) filter (where not c.is_flagged) as lowest,
        max(c.high) filter (where not c.is_flagged) as highest,
        count(*) filter (where not c.is_flagged)::integer as venues,
        count(*) filter (where c.is_flagged)::integer as flagged,
        min(c.method) filter (where not c.is_flagged) as method,
        max(c.method) filter (where not c.is_flagged) as other_method
    from candle as c
    group by c.quote, c.opened_at
),

computed as (
    select
        h.crypto,
        h.quote,
        h.hour_at,
        -- A mean of prices with more decimals than are kept must not leave their range by its rounding.
        case
            when h.venues > 0 then trim_scale(least(greatest(round(h.mean_price, 12), h.lowest), h.highest))
        end as mean_price,
        trim_scale(h.lowest) as lowest,
        trim_scale(h.highest) as highest,
        h.venues,
        h.flagged,
        case when h.method = h.other_method then h.method when h.venues > 0 then 'mixed' end as method
    from hour as h
),

{{
    merge(
        'mart.hourly_price', ['crypto', 'quote', 'hour_at'],
        ['mean_price', 'lowest', 'highest', 'venues', 'flagged', 'method'],
        't.crypto = %(crypto)s and t.hour_at >= %(starts_at)s and t.hour_at < %(ends_at)s'
    )
}}
