-- Candles of one market drawn together into bars of equal length: the first open, highest high, lowest low, last close,
-- sum of volumes and how many candles they are. Names: columns (of features.candle_feature, as of a bar's last candle).
-- Parameters: instrument_id, timeframe, starts_at, ends_at (half-open window of open times), bar (interval), limit.
with placed as (
    select
        date_bin(%(bar)s, c.opened_at, timestamptz '1970-01-01 00:00:00+00') as opened_at,
        c.opened_at as candle_at,
        c.high,
        c.low,
        c.base_volume
    from market.candle as c
    where
        c.instrument_id = %(instrument_id)s
        and c.timeframe = %(timeframe)s::market.timeframe
        and c.opened_at >= %(starts_at)s
        and c.opened_at < %(ends_at)s
),

bars as (
    select
        p.opened_at,
        min(p.candle_at) as first_opened_at,
        max(p.candle_at) as last_opened_at,
        max(p.high) as high,
        min(p.low) as low,
        sum(p.base_volume) as volume,
        count(*) as candles
    from placed as p
    group by p.opened_at
)

select
    b.opened_at,
    first.open,
    b.high,
    b.low,
    last.close,
    b.volume,
    b.candles,
    extract(epoch from %(bar)s::interval)::bigint as bar_seconds{% for column in columns %},
    f.{{ column }}{% endfor %}

from bars as b
inner join market.candle as first
    on
        first.instrument_id = %(instrument_id)s
        and first.timeframe = %(timeframe)s::market.timeframe
        and b.first_opened_at = first.opened_at
inner join market.candle as last
    on
        last.instrument_id = %(instrument_id)s
        and last.timeframe = %(timeframe)s::market.timeframe
        and b.last_opened_at = last.opened_at
{%- if columns %}
left join features.candle_feature as f
    on
        f.instrument_id = %(instrument_id)s
        and f.timeframe = %(timeframe)s::market.timeframe
        and b.last_opened_at = f.opened_at
{%- endif %}
order by b.opened_at
limit %(limit)s
