-- Candles of one series as they were known at known_at, oldest first, as the computation of features wants them:
-- those recorded by then, and where one was replaced later, what it was before.
-- bar = whole steps since the epoch; decimals become the nearest float8, a missing figure NaN.
-- Parameters: instrument_id, timeframe, step_seconds, starts_at (first open time), known_at (closed by then).
with known as (
    select
        c.opened_at,
        c.high,
        c.low,
        c.close,
        c.base_volume,
        c.taker_buy_base_volume
    from market.candle as c
    where
        c.instrument_id = %(instrument_id)s
        and c.timeframe = %(timeframe)s::market.timeframe
        and c.opened_at >= %(starts_at)s
        and c.opened_at <= %(known_at)s - market.step(%(timeframe)s::market.timeframe)
        and c.recorded_at <= %(known_at)s
    union all
    select
        r.opened_at,
        r.high,
        r.low,
        r.close,
        r.base_volume,
        r.taker_buy_base_volume
    from market.candle_revision as r
    where
        r.instrument_id = %(instrument_id)s
        and r.timeframe = %(timeframe)s::market.timeframe
        and r.opened_at >= %(starts_at)s
        and r.opened_at <= %(known_at)s - market.step(%(timeframe)s::market.timeframe)
        and r.recorded_at <= %(known_at)s
        and r.superseded_at > %(known_at)s
)

select
    (extract(epoch from k.opened_at)::bigint / %(step_seconds)s)::float8 as bar,
    k.high::float8,
    k.low::float8,
    k.close::float8,
    k.base_volume::float8,
    coalesce(k.taker_buy_base_volume::float8, 'NaN') as taker_buy_base_volume
from known as k
order by k.opened_at
