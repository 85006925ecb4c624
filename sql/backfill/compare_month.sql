-- What a file's candles, once upserted, have changed and left. Parameters: instrument_id, timeframe, starts_at, ends_at
-- (span of the file's page), month_ends_at, recorded_at (of the upsert).
-- Answers one row: candles whose open, high, low or close was replaced; candles held in the span; held after it.
select
    (
        select count(*)
        from market.candle_revision as r
        inner join market.candle as c using (instrument_id, timeframe, opened_at)
        where
            r.instrument_id = %(instrument_id)s
            and r.timeframe = %(timeframe)s::market.timeframe
            and r.opened_at >= %(starts_at)s
            and r.opened_at < %(ends_at)s
            and r.superseded_at = %(recorded_at)s
            and c.recorded_at = %(recorded_at)s
            and (r.open, r.high, r.low, r.close) is distinct from (c.open, c.high, c.low, c.close)
    ) as price_changes,
    count(*) filter (where h.opened_at < %(ends_at)s) as held,
    count(*) filter (where h.opened_at >= %(ends_at)s) as held_after
from market.candle as h
where
    h.instrument_id = %(instrument_id)s
    and h.timeframe = %(timeframe)s::market.timeframe
    and h.opened_at >= %(starts_at)s
    and h.opened_at < %(month_ends_at)s
