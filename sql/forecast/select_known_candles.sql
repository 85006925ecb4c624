-- Candles of one series as they were known at known_at, oldest first, as the computation of features wants them:
-- those recorded by then, and where one was replaced later, what it was before.
-- bar = whole steps since the epoch; decimals become the nearest float8, a missing figure NaN.
-- Parameters: instrument_id, timeframe, step_seconds, starts_at (first open time), known_at (closed by then).
with versions as (
    select
        c.instrument_id,
        c.timeframe,
        c.opened_at,
        c.high,
        c.low,
        c.close,
        c.base_volume,
        c.taker_buy_base_volume,
        c.recorded_at,
        'infinity'::timestamptz as superseded_at
    from market.candle as c
    union all
    select
        r.instrument_id,
        r.timeframe,
        r.opened_at,
        r.high,
        r.low,
        r.close,
        r.base_volume,
        r.taker_buy_base_volume,
        r.recorded_at,
        r.superseded_at
    from market.candle_revision as r
)

select
    (extract(epoch from v.opened_at)::bigint / %(step_seconds)s)::float8 as bar,
    v.high::float8,
    v.low::float8,
    v.close::float8,
    v.base_volume::float8,
    coalesce(v.taker_buy_base_volume::float8, 'NaN') as taker_buy_base_volume
from versions as v
where
    v.instrument_id = %(instrument_id)s
    and v.timeframe = %(timeframe)s::market.timeframe
    and v.opened_at >= %(starts_at)s
    and v.opened_at <= %(known_at)s - market.step(%(timeframe)s::market.timeframe)
    and v.recorded_at <= %(known_at)s
    and v.superseded_at > %(known_at)s
order by v.opened_at
