-- Whether what is stored of one series is what was known at known_at: no candle that had closed by then, and no day of
-- Fear & Greed, came or changed since; features are computed of all of it, by the present definitions.
-- Parameters: instrument_id, timeframe, known_at, definition_sha256. Answers one row: is_unchanged.
with series as (
    select
        %(instrument_id)s::integer as instrument_id,
        %(timeframe)s::market.timeframe as timeframe,
        %(known_at)s::timestamptz as known_at
)

select
    not exists (
        select
        from market.candle as c
        where
            c.instrument_id = s.instrument_id
            and c.timeframe = s.timeframe
            and c.opened_at <= s.known_at - market.step(s.timeframe)
            and c.recorded_at > s.known_at
    )
    and not exists (
        select
        from market.candle_revision as r
        where
            r.instrument_id = s.instrument_id
            and r.timeframe = s.timeframe
            and r.opened_at <= s.known_at - market.step(s.timeframe)
            and r.superseded_at > s.known_at
    )
    and not exists (select from market.fear_greed as f where f.recorded_at > s.known_at)
    and not exists (select from market.fear_greed_revision as f where f.superseded_at > s.known_at)
    and not exists (
        select
        from ops.change_range as c
        where
            (
                c.dataset = 'fear_greed'
                or (c.dataset = 'candle' and c.instrument_id = s.instrument_id and c.timeframe = s.timeframe)
            )
            and not exists (
                select
                from ops.change_receipt as r
                where r.consumer = 'features' and r.change_id = c.change_id
            )
    )
    and exists (
        select
        from features.definition as d
        where
            d.instrument_id = s.instrument_id
            and d.timeframe = s.timeframe
            and d.sha256 = %(definition_sha256)s
    ) as is_unchanged
from series as s
