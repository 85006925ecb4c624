-- Features of closed candles, which registry they were computed by, and the view crypto_prices that people read.
-- Columns: one per entry of include/features/registry.py, where units, formulas and NULL rules are
-- (docs/reference/features.md).

create table features.candle_feature (
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    opened_at timestamptz not null,
    change_percent float8,
    log_return float8,
    log_return_24h float8,
    log_return_7d float8,
    range_percent float8,
    realised_volatility_24h float8,
    realised_volatility_7d float8,
    sma_7d float8,
    sma_14d float8,
    sma_30d float8,
    volume_mean_7d float8,
    volume_mean_14d float8,
    volume_mean_30d float8,
    taker_buy_share float8,
    ema_12 float8,
    ema_26 float8,
    macd float8,
    macd_signal float8,
    macd_histogram float8,
    rsi_14 float8,
    stoch_rsi float8,
    stoch_rsi_k float8,
    stoch_rsi_d float8,
    bollinger_middle float8,
    bollinger_upper float8,
    bollinger_lower float8,
    bollinger_width float8,
    bollinger_percent_b float8,
    adx_14 float8,
    di_plus_14 float8,
    di_minus_14 float8,
    atr_14 float8,
    fear_greed float8,
    fear_greed_mean_7d float8,
    fear_greed_mean_14d float8,
    fear_greed_mean_30d float8,
    hour_of_day float8,
    day_of_week float8,
    history_bars float8,
    missing_bars_30d float8,
    recorded_at timestamptz not null,
    primary key (instrument_id, timeframe, opened_at)
);

comment on table features.candle_feature is
    'One row per closed candle. A value uses only what was known when the candle closed; NULL means not defined there.';

create table features.definition (
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    sha256 text not null,
    recorded_at timestamptz not null,
    primary key (instrument_id, timeframe)
);

comment on table features.definition is
    'The registry all rows of an instrument and timeframe were computed by; another registry means: compute afresh.';

-- One instrument speaks for a coin, for its whole history, so that a series never jumps between markets.
-- Order of preference: venue binance, kraken, coinbase, any other by name; then quote USDT, USD, USDC,
-- any other by name.
create view features.coin_instrument as
select distinct on (i.base)
    i.base as crypto,
    i.instrument_id,
    i.venue,
    i.symbol
from market.instrument as i
where
    exists (
        select 1
        from features.candle_feature as f
        where f.instrument_id = i.instrument_id and f.timeframe = '1h'
    )
order by
    i.base,
    coalesce(array_position(array['binance', 'kraken', 'coinbase'], i.venue), 4),
    i.venue,
    coalesce(array_position(array['USDT', 'USD', 'USDC'], i.quote), 4),
    i.symbol;

-- timestamp is the moment from which the row was known, the candle's close: price is the price at that moment,
-- and a forecast made at that moment may use every column of the row.
create view public.crypto_prices as
select
    p.crypto,
    c.opened_at + interval '1 hour' as timestamp,
    c.close as price,
    c.base_volume as volume,
    f.change_percent,
    f.log_return,
    f.log_return_24h,
    f.log_return_7d,
    f.range_percent,
    f.realised_volatility_24h,
    f.realised_volatility_7d,
    f.sma_7d,
    f.sma_14d,
    f.sma_30d,
    f.volume_mean_7d,
    f.volume_mean_14d,
    f.volume_mean_30d,
    f.taker_buy_share,
    f.ema_12,
    f.ema_26,
    f.macd,
    f.macd_signal,
    f.macd_histogram,
    f.rsi_14,
    f.stoch_rsi,
    f.stoch_rsi_k,
    f.stoch_rsi_d,
    f.bollinger_middle,
    f.bollinger_upper,
    f.bollinger_lower,
    f.bollinger_width,
    f.bollinger_percent_b,
    f.adx_14,
    f.di_plus_14,
    f.di_minus_14,
    f.atr_14,
    f.fear_greed,
    f.fear_greed_mean_7d,
    f.fear_greed_mean_14d,
    f.fear_greed_mean_30d,
    f.hour_of_day,
    f.day_of_week,
    f.history_bars,
    f.missing_bars_30d,
    c.opened_at,
    p.venue,
    p.symbol,
    (select w.world from ops.world as w) as world
from features.coin_instrument as p
inner join features.candle_feature as f on p.instrument_id = f.instrument_id and f.timeframe = '1h'
inner join market.candle as c
    on f.instrument_id = c.instrument_id and c.timeframe = '1h' and f.opened_at = c.opened_at;

comment on view public.crypto_prices is
    'Hourly price, volume, indicators and features by coin; key crypto, timestamp (UTC, the close of the hour).';
