-- Brings mart.daily_volume in line with a coin's candles of one hour of the UTC days in [starts_at, ends_at).
-- A candle flagged `repeated` is left out and counted; any other flag is about the price and leaves the volume alone.
-- Numbers are stored without trailing zeros, so that no order of arrival shows in them.
-- Keys: day, crypto, quote. Parameters: crypto, starts_at, ends_at (both begin a day), recorded_at.
-- Answers one row: new, changed, removed. A repeat writes nothing.
{% from 'transforms/merge.jinja' import merge -%}
with candle as (
    select
        c.*,
        i.venue,
        i.quote,
        flags.is_repeated,
        (c.opened_at at time zone 'UTC')::date as day
    from market.instrument as i
    inner join market.candle as c using (instrument_id)
    cross join
        lateral (
            select count(*) > 0 as is_repeated
            from mart.candle_flag as f
            where
                f.instrument_id = c.instrument_id
                and f.timeframe = c.timeframe
                and f.opened_at = c.opened_at
                and f.rule = 'repeated'
        ) as flags
    where
        i.base = %(crypto)s
        and c.timeframe = '1h'
        and c.opened_at >= %(starts_at)s
        and c.opened_at < %(ends_at)s
),

computed as (
    select
        c.day,
        %(crypto)s::text as crypto,
        c.quote,
        trim_scale(coalesce(sum(c.base_volume) filter (where not c.is_repeated), 0)) as base_volume,
        trim_scale(sum(c.quote_volume) filter (where not c.is_repeated)) as quote_volume,
        (sum(c.trade_count) filter (where not c.is_repeated))::bigint as trade_count,
        count(distinct c.opened_at)::integer as hours_observed,
        count(distinct c.venue)::integer as venues,
        count(*) filter (where not c.is_repeated)::integer as candles,
        count(c.quote_volume) filter (where not c.is_repeated)::integer as candles_with_quote_volume,
        count(c.trade_count) filter (where not c.is_repeated)::integer as candles_with_trade_count,
        count(*) filter (where c.is_repeated)::integer as repeated
    from candle as c
    group by c.day, c.quote
),

{{
    merge(
        'mart.daily_volume', ['day', 'crypto', 'quote'],
        [
            'base_volume', 'quote_volume', 'trade_count', 'hours_observed', 'venues', 'candles',
            'candles_with_quote_volume', 'candles_with_trade_count', 'repeated'
        ],
        "t.crypto = %(crypto)s"
        " and t.day >= (%(starts_at)s::timestamptz at time zone 'UTC')::date"
        " and t.day < (%(ends_at)s::timestamptz at time zone 'UTC')::date"
    )
}}
