-- Every market: its names, when it was listed, and the timeframes that have candles. Hours that have left the table
-- for the archive count for first_opened_at.
-- Parameters: after_venue, after_symbol (NULL at the start), limit.
select
    i.venue,
    i.symbol,
    i.venue_symbol,
    i.base,
    i.quote,
    i.listed_at,
    i.delisted_at,
    (
        select coalesce(array_agg(t.timeframe::text order by t.timeframe), '{}')
        from unnest(enum_range(null::market.timeframe)) as t (timeframe)
        where
            exists (
                select from market.candle as c
                where c.instrument_id = i.instrument_id and c.timeframe = t.timeframe
            )
    ) as timeframes,
    least(
        (
            select min(c.opened_at)
            from market.candle as c
            where c.instrument_id = i.instrument_id and c.timeframe = '1h'
        ),
        (
            select min(m.first_opened_at)
            from ops.archive_manifest as m
            where m.instrument_id = i.instrument_id and m.timeframe = '1h' and m.dropped_at is not null
        )
    ) as first_opened_at,
    (
        select max(c.opened_at)
        from market.candle as c
        where c.instrument_id = i.instrument_id and c.timeframe = '1h'
    ) as newest_opened_at
from market.instrument as i
where
    %(after_venue)s::text is null
    or (i.venue, i.symbol) > (%(after_venue)s::text, %(after_symbol)s::text)
order by i.venue, i.symbol
limit %(limit)s
