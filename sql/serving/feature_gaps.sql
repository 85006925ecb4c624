-- Hours of a window whose candle is held and whose features are not. One row: newest_close (of the newest hour with
-- features), candle_close (of the newest hour), lacking and first_opened_at (of all such hours), missing and
-- first_missing_at (of those older than the newest features whose candle was known before due_before).
-- Parameters: instrument_id, starts_at, ends_at (half-open window of open times), due_before.
with newest as materialized (
    select
        (
            select max(f.opened_at)
            from features.candle_feature as f
            where f.instrument_id = %(instrument_id)s and f.timeframe = '1h'
        ) as featured_at,
        (
            select max(c.opened_at)
            from market.candle as c
            where c.instrument_id = %(instrument_id)s and c.timeframe = '1h'
        ) as candle_at
)

select
    n.featured_at + interval '1 hour' as newest_close,
    n.candle_at + interval '1 hour' as candle_close,
    count(c.opened_at) as lacking,
    min(c.opened_at) as first_opened_at,
    count(c.opened_at) filter (
        where c.opened_at < n.featured_at and c.recorded_at < %(due_before)s
    ) as missing,
    min(c.opened_at) filter (
        where c.opened_at < n.featured_at and c.recorded_at < %(due_before)s
    ) as first_missing_at
from newest as n
left join market.candle as c
    on
        c.instrument_id = %(instrument_id)s
        and c.timeframe = '1h'
        and c.opened_at >= %(starts_at)s
        and c.opened_at < %(ends_at)s
        and not exists (
            select from features.candle_feature as f
            where
                f.instrument_id = %(instrument_id)s
                and f.timeframe = '1h'
                and f.opened_at >= %(starts_at)s
                and f.opened_at < %(ends_at)s
                and f.opened_at = c.opened_at
        )
group by n.featured_at, n.candle_at
