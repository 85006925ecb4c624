-- Candles of one market drawn together into bars of equal length: the first open, highest high, lowest low, last close,
-- sum of volumes and how many candles they are. Names: columns (of features.candle_feature, as of a bar's last candle).
-- Parameters: instrument_id, timeframe, starts_at, ends_at (half-open window of open times), bar_seconds, limit.
-- Bars are looked up one by one, each by its range of the primary key: grouped, so many candles were sorted on disk.
with bars as (
    select
        place.opened_at,
        place.opened_at + make_interval(secs => %(bar_seconds)s) as ends_at
    from
        generate_series(
            date_bin(
                make_interval(secs => %(bar_seconds)s),
                %(starts_at)s::timestamptz,
                timestamptz '1970-01-01 00:00:00+00'
            ),
            %(ends_at)s::timestamptz - interval '1 microsecond',
            make_interval(secs => %(bar_seconds)s)
        ) as place (opened_at)
)

select
    b.opened_at,
    first.open,
    figures.high,
    figures.low,
    last.close,
    figures.volume,
    figures.candles,
    %(bar_seconds)s::bigint as bar_seconds{% for column in columns %},
    f.{{ column }}{% endfor %}

from bars as b
cross join
    lateral (
        select
            min(c.opened_at) as first_opened_at,
            max(c.opened_at) as last_opened_at,
            max(c.high) as high,
            min(c.low) as low,
            sum(c.base_volume) as volume,
            count(*) as candles
        from market.candle as c
        where
            c.instrument_id = %(instrument_id)s
            and c.timeframe = %(timeframe)s::market.timeframe
            and c.opened_at >= greatest(b.opened_at, %(starts_at)s::timestamptz)
            and c.opened_at < least(b.ends_at, %(ends_at)s::timestamptz)
    ) as figures
cross join
    lateral (
        select c.open
        from market.candle as c
        where
            c.instrument_id = %(instrument_id)s
            and c.timeframe = %(timeframe)s::market.timeframe
            and c.opened_at = figures.first_opened_at
        order by c.opened_at
        limit 1
    ) as first
cross join
    lateral (
        select c.close
        from market.candle as c
        where
            c.instrument_id = %(instrument_id)s
            and c.timeframe = %(timeframe)s::market.timeframe
            and c.opened_at = figures.last_opened_at
        order by c.opened_at
        limit 1
    ) as last
{%- if columns %}
left join features.candle_feature as f
    on
        f.instrument_id = %(instrument_id)s
        and f.timeframe = %(timeframe)s::market.timeframe
        and figures.last_opened_at = f.opened_at
{%- endif %}
order by b.opened_at
limit %(limit)s
