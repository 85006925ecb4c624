-- Values of candles that were replaced, the newest replacement first, beside what they were replaced by: the next
-- revision's values, or the present ones. NULL where the candle is gone.
-- Parameters: venue, symbol, timeframe (NULL: all), starts_at, ends_at (half-open window of open times; NULL: all),
-- after_revision_id, limit.
select
    r.revision_id,
    i.venue,
    i.symbol,
    r.timeframe::text as timeframe,
    r.opened_at,
    r.recorded_at,
    r.superseded_at,
    r.open,
    r.high,
    r.low,
    r.close,
    r.base_volume as volume,
    r.source,
    coalesce(n.open, c.open) as new_open,
    coalesce(n.high, c.high) as new_high,
    coalesce(n.low, c.low) as new_low,
    coalesce(n.close, c.close) as new_close,
    coalesce(n.base_volume, c.base_volume) as new_volume,
    coalesce(n.source, c.source) as new_source
from market.candle_revision as r
inner join market.instrument as i using (instrument_id)
left join lateral (
    select f.*
    from market.candle_revision as f
    where
        f.instrument_id = r.instrument_id and f.timeframe = r.timeframe and f.opened_at = r.opened_at
        and f.revision_id > r.revision_id
    order by f.revision_id
    limit 1
) as n on true
left join market.candle as c
    on
        n.revision_id is null
        and r.instrument_id = c.instrument_id and r.timeframe = c.timeframe and r.opened_at = c.opened_at
where
    (%(venue)s::text is null or i.venue = %(venue)s)
    and (%(symbol)s::text is null or i.symbol = %(symbol)s)
    and (%(timeframe)s::market.timeframe is null or r.timeframe = %(timeframe)s::market.timeframe)
    and (%(starts_at)s::timestamptz is null or r.opened_at >= %(starts_at)s)
    and (%(ends_at)s::timestamptz is null or r.opened_at < %(ends_at)s)
    and (%(after_revision_id)s::bigint is null or r.revision_id < %(after_revision_id)s)
order by r.revision_id desc
limit %(limit)s
