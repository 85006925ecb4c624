-- Whether no candle of the series opens from first_opened_at to last_opened_at.
-- Parameters: instrument_id, timeframe, first_opened_at, last_opened_at. Answers one row: is_empty.
select
    not exists (
        select
        from market.candle as c
        where
            c.instrument_id = %(instrument_id)s
            and c.timeframe = %(timeframe)s::market.timeframe
            and c.opened_at between %(first_opened_at)s and %(last_opened_at)s
    ) as is_empty
