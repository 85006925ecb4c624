-- A sealed forecast says more: a 95 % interval, the probability of a rise, the baselines' own forecasts of the same
-- moment, and on the row of a day ahead how much the price will move. All that is new is NULL in older rows, whose
-- hashes stay (0013). Refusals stay visible.

alter table ml.forecast
add column lower_price_95 numeric,
add column upper_price_95 numeric,
add column up_probability float8,
add column drift_log_return float8,
add column seasonal_log_return float8,
add column model_trained_until timestamptz,
add column predicted_volatility float8,
add column lower_volatility float8,
add column upper_volatility float8,
add column lower_volatility_95 float8,
add column upper_volatility_95 float8,
add column volatility_model text,
add column volatility_model_version text,
add column volatility_trained_until timestamptz,
add column ewma_volatility float8,
add column har_volatility float8,
-- NaN and Infinity are greater than every number, hence the upper bounds.
add constraint forecast_wide_holds_the_narrow check (
    num_nulls(lower_price_95, upper_price_95) = 2
    or (
        num_nulls(lower_price_95, upper_price_95) = 0
        and lower_price_95 > 0 and lower_price_95 <= lower_price
        and upper_price <= upper_price_95 and upper_price_95 < 'Infinity'
    )
),
add constraint forecast_up_probability_is_one check (up_probability between 0 and 1),
add constraint forecast_baselines_are_finite check (
    drift_log_return > '-Infinity' and drift_log_return < 'Infinity'
    and seasonal_log_return > '-Infinity' and seasonal_log_return < 'Infinity'
    and ewma_volatility > 1e-9 and ewma_volatility < 1e3
    and har_volatility > 1e-9 and har_volatility < 1e3
),
add constraint forecast_naive_is_not_trained check (model_version is not null or model_trained_until is null),
add constraint forecast_volatility_is_whole check (
    (
        num_nulls(
            predicted_volatility, lower_volatility, upper_volatility,
            lower_volatility_95, upper_volatility_95, volatility_model
        ) = 6
        and num_nulls(volatility_model_version, volatility_trained_until) = 2
    )
    or (
        num_nulls(
            predicted_volatility, lower_volatility, upper_volatility,
            lower_volatility_95, upper_volatility_95, volatility_model
        ) = 0
        and lower_volatility_95 > 0 and lower_volatility_95 <= lower_volatility
        and lower_volatility <= predicted_volatility and predicted_volatility <= upper_volatility
        and upper_volatility <= upper_volatility_95 and upper_volatility_95 < 'Infinity'
        and predicted_volatility > 1e-9 and predicted_volatility < 1e3
    )
),
add constraint forecast_names_its_volatility_model check (
    (volatility_model_version is null) = (volatility_trained_until is null)
    and (volatility_model is null or (volatility_model = 'har') = (volatility_model_version is null))
);
comment on column ml.forecast.lower_price_95 is 'With upper_price_95 the interval meant to hold 95 % of outcomes.';
comment on column ml.forecast.up_probability is 'Probability that the price at target_at lies above as_of_price.';
comment on column ml.forecast.drift_log_return is
'What the baseline `drift` forecast at that moment; NULL: it had too little history.';
comment on column ml.forecast.seasonal_log_return is
'What the baseline `seasonal_hour` forecast at that moment; NULL: it had too little history.';
comment on column ml.forecast.model_trained_until is 'When the last outcome the model learned from was known.';
comment on column ml.forecast.predicted_volatility is
'Root of the sum of squared log returns of the bars from as_of to target_at; NULL: not forecast at this horizon.';
comment on column ml.forecast.lower_volatility is
'With upper_volatility the interval meant to hold `coverage` of outcomes; the columns of 95 alike.';
comment on column ml.forecast.volatility_model is '`har`: the baseline; else a registered model.';
comment on column ml.forecast.volatility_trained_until is
'When the last outcome the volatility model learned from was known; NULL for the baseline.';
comment on column ml.forecast.ewma_volatility is 'What the baseline `ewma` forecast at that moment.';
comment on column ml.forecast.har_volatility is 'What the baseline `har` forecast at that moment.';

create or replace function ml.sealed_text(f ml.forecast) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
    i market.instrument;
begin
    select * into i from market.instrument as m where m.instrument_id = f.instrument_id;
    return
        ml.sealed_field('venue', i.venue)
        || ml.sealed_field('symbol', i.symbol)
        || ml.sealed_field('forecast_id', f.forecast_id::text)
        || ml.sealed_field('instrument_id', f.instrument_id::text)
        || ml.sealed_field('timeframe', f.timeframe::text)
        || ml.sealed_field('horizon_bars', f.horizon_bars::text)
        || ml.sealed_field('as_of', ml.sealed_time(f.as_of))
        || ml.sealed_field('target_at', ml.sealed_time(f.target_at))
        || ml.sealed_field('made_at', ml.sealed_time(f.made_at))
        || ml.sealed_field('sealed_at', ml.sealed_time(f.sealed_at))
        || ml.sealed_field('as_of_price', trim_scale(f.as_of_price)::text)
        || ml.sealed_field('predicted_log_return', encode(float8send(f.predicted_log_return), 'hex'))
        || ml.sealed_field('predicted_price', trim_scale(f.predicted_price)::text)
        || ml.sealed_field('lower_price', trim_scale(f.lower_price)::text)
        || ml.sealed_field('upper_price', trim_scale(f.upper_price)::text)
        || ml.sealed_field('coverage', encode(float8send(f.coverage), 'hex'))
        || ml.sealed_field('model', f.model)
        || ml.sealed_field('model_version', f.model_version)
        || ml.sealed_field('is_naive', (f.model = 'naive')::text) -- generated, and not yet there before an insert
        || ml.sealed_field('lower_price_95', trim_scale(f.lower_price_95)::text)
        || ml.sealed_field('upper_price_95', trim_scale(f.upper_price_95)::text)
        || ml.sealed_field('up_probability', encode(float8send(f.up_probability), 'hex'))
        || ml.sealed_field('drift_log_return', encode(float8send(f.drift_log_return), 'hex'))
        || ml.sealed_field('seasonal_log_return', encode(float8send(f.seasonal_log_return), 'hex'))
        || ml.sealed_field('model_trained_until', ml.sealed_time(f.model_trained_until))
        || ml.sealed_field('predicted_volatility', encode(float8send(f.predicted_volatility), 'hex'))
        || ml.sealed_field('lower_volatility', encode(float8send(f.lower_volatility), 'hex'))
        || ml.sealed_field('upper_volatility', encode(float8send(f.upper_volatility), 'hex'))
        || ml.sealed_field('lower_volatility_95', encode(float8send(f.lower_volatility_95), 'hex'))
        || ml.sealed_field('upper_volatility_95', encode(float8send(f.upper_volatility_95), 'hex'))
        || ml.sealed_field('volatility_model', f.volatility_model)
        || ml.sealed_field('volatility_model_version', f.volatility_model_version)
        || ml.sealed_field('volatility_trained_until', ml.sealed_time(f.volatility_trained_until))
        || ml.sealed_field('ewma_volatility', encode(float8send(f.ewma_volatility), 'hex'))
        || ml.sealed_field('har_volatility', encode(float8send(f.har_volatility), 'hex'))
        || ml.sealed_field('chain_position', f.chain_position::text)
        || ml.sealed_field('previous_sha256', f.previous_sha256);
end
$$;

create table ml.refusal (
    refusal_id bigint generated always as identity primary key,
    instrument_id integer not null references market.instrument (instrument_id),
    timeframe market.timeframe not null,
    horizon_bars integer not null check (horizon_bars > 0),
    target text not null check (target in ('log_return', 'volatility')),
    reason_class text not null check (
        reason_class in (
            'no_features', 'stale', 'incomplete', 'rewriting', 'late', 'short_history', 'old_model', 'unusable_model'
        )
    ),
    reason text not null,
    refused_at timestamptz not null,
    last_refused_at timestamptz not null,
    times integer not null default 1 check (times > 0),
    unique (instrument_id, timeframe, horizon_bars, target, reason),
    check (refused_at <= last_refused_at)
);
revoke delete on ml.refusal from warehouse_writer;
comment on table ml.refusal is 'Forecasts that were refused, and why; the same reason again makes no new row.';
comment on column ml.refusal.target is
'`log_return`: the whole row was refused; `volatility`: that part of it, the rest was sealed.';
comment on column ml.refusal.refused_at is 'When this reason was first given; last_refused_at: the last time.';

alter table ml.forecast_score
add column is_covered_95 boolean,
add column actual_volatility float8 check (actual_volatility >= 0 and actual_volatility < 'Infinity'),
add column is_volatility_covered boolean,
add column is_volatility_covered_95 boolean,
add constraint forecast_score_of_volatility_is_whole check (
    num_nulls(actual_volatility, is_volatility_covered, is_volatility_covered_95) in (0, 3)
);
comment on column ml.forecast_score.is_covered_95 is 'NULL: the forecast has no 95 % interval.';
comment on column ml.forecast_score.actual_volatility is
'From as_of_price and the closes up to target_at; NULL: not forecast, or a candle between is missing.';
