-- Forecasts that are sealed before their outcome, their scores, trainings and promotion decisions, and the view
-- predictions that people read. Figures of trainings are in log-return units of the horizon.

create table ml.training_run (
    training_run_id bigint generated always as identity primary key,
    instrument_id integer not null references market.instrument (instrument_id),
    timeframe market.timeframe not null,
    horizon_bars integer not null check (horizon_bars > 0),
    trained_at timestamptz not null,
    mlflow_run_id text not null unique,
    registered_model text not null,
    model_version text not null,
    dataset_sha256 text not null,
    definition_sha256 text not null,
    training_rows integer not null,
    training_starts_at timestamptz not null,
    training_ends_at timestamptz not null,
    holdout_rows integer not null,
    holdout_starts_at timestamptz not null,
    holdout_ends_at timestamptz not null,
    mae float8 not null,
    naive_mae float8 not null,
    rmse float8 not null,
    naive_rmse float8 not null,
    skill float8 not null,
    direction_accuracy float8,
    direction_lower float8,
    direction_upper float8,
    p_value_over_naive float8 not null check (p_value_over_naive between 0 and 1),
    interval_coverage float8 not null check (interval_coverage between 0 and 1),
    naive_interval_coverage float8 not null check (naive_interval_coverage between 0 and 1),
    check (training_starts_at < training_ends_at and training_ends_at <= holdout_starts_at),
    check (holdout_starts_at < holdout_ends_at)
);
create index training_run_key on ml.training_run (instrument_id, timeframe, horizon_bars, trained_at);
comment on table ml.training_run is 'One row per trained model: its data, and how it did on rows held out.';
comment on column ml.training_run.training_ends_at is 'When the last outcome trained on was known.';
comment on column ml.training_run.definition_sha256 is 'Inputs, model and split; another digest: train afresh.';
comment on column ml.training_run.skill is '1 - squared error / squared error of naive on the hold-out; 0 is naive.';

create table ml.promotion (
    promotion_id bigint generated always as identity primary key,
    training_run_id bigint not null unique references ml.training_run (training_run_id),
    decided_at timestamptz not null,
    decision text not null check (decision in ('promoted', 'kept', 'retired', 'naive')),
    reason text not null,
    skill float8 not null,
    p_value_over_naive float8 not null,
    champion_before text,
    champion_skill float8,
    p_value_over_champion float8,
    champion_after text,
    check (decision <> 'promoted' or champion_after is not null),
    check (decision not in ('retired', 'naive') or champion_after is null)
);
comment on table ml.promotion is 'Every decision who serves, with the figures it rests on.';
comment on column ml.promotion.champion_after is 'Version that serves from then on; NULL: the naive forecast serves.';

create table ml.forecast (
    forecast_id bigint generated always as identity primary key,
    instrument_id integer not null references market.instrument (instrument_id),
    timeframe market.timeframe not null,
    horizon_bars integer not null check (horizon_bars > 0),
    as_of timestamptz not null,
    target_at timestamptz not null,
    made_at timestamptz not null,
    sealed_at timestamptz not null default clock_timestamp(),
    as_of_price numeric not null check (as_of_price > 0 and as_of_price < 'Infinity'),
    predicted_log_return float8 not null,
    predicted_price numeric not null,
    lower_price numeric not null,
    upper_price numeric not null,
    coverage float8 not null check (coverage > 0 and coverage < 1),
    model text not null,
    model_version text,
    is_naive boolean not null generated always as (model = 'naive') stored,
    unique (instrument_id, timeframe, horizon_bars, as_of),
    constraint forecast_is_made_before_its_target check (made_at < target_at),
    constraint forecast_uses_the_past check (as_of <= made_at),
    constraint forecast_target_is_the_horizon check (target_at = as_of + horizon_bars * market.step(timeframe)),
    constraint forecast_prices_are_sane check (
        lower_price > 0 and lower_price <= predicted_price
        and predicted_price <= upper_price and upper_price < 'Infinity'
    ),
    constraint forecast_names_its_model check ((model = 'naive') = (model_version is null))
);
comment on table ml.forecast is 'Forecasts of the price at target_at; written before it, never changed.';
comment on column ml.forecast.as_of is 'Close time of the newest candle it uses; as_of_price is that candle''s close.';
comment on column ml.forecast.made_at is 'By the clock of the world; sealed_at is by the database''s own clock.';
comment on column ml.forecast.coverage is 'Share of outcomes that lower_price to upper_price is meant to hold.';

create function ml.refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception '%.% is sealed: % is refused', tg_table_schema, tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;

-- In the live world the database's own clock counts too: no clock handed in can date a forecast back.
create function ml.refuse_late_forecast() returns trigger
language plpgsql as $$
begin
    if clock_timestamp() >= new.target_at and exists (select from ops.world as w where w.world = 'live') then
        raise exception 'a forecast for % cannot be sealed at %', new.target_at, clock_timestamp()
            using errcode = 'check_violation', constraint = 'forecast_is_sealed_before_its_target';
    end if;
    new.sealed_at := clock_timestamp();
    return new;
end
$$;

create trigger forecast_in_time before insert on ml.forecast
for each row execute function ml.refuse_late_forecast();
create trigger forecast_is_sealed before update or delete on ml.forecast
for each row execute function ml.refuse_change();
create trigger forecast_is_kept before truncate on ml.forecast
for each statement execute function ml.refuse_change();
create trigger promotion_is_sealed before update or delete on ml.promotion
for each row execute function ml.refuse_change();
create trigger promotion_is_kept before truncate on ml.promotion
for each statement execute function ml.refuse_change();
revoke update, delete on ml.forecast, ml.promotion, ml.training_run from warehouse_writer;

create table ml.forecast_score (
    forecast_id bigint primary key references ml.forecast (forecast_id),
    scored_at timestamptz not null,
    actual_price numeric not null check (actual_price > 0 and actual_price < 'Infinity'),
    actual_log_return float8 not null,
    error_log_return float8 not null,
    absolute_error numeric not null check (absolute_error >= 0),
    naive_absolute_error numeric not null check (naive_absolute_error >= 0),
    is_covered boolean not null,
    is_direction_right boolean
);
comment on table ml.forecast_score is 'What became of each sealed forecast; follows a candle that the venue revises.';
comment on column ml.forecast_score.error_log_return is 'actual_log_return - predicted_log_return.';
comment on column ml.forecast_score.is_direction_right is 'NULL: no direction was named, or the price stood still.';

create view ml.scoreboard as
select
    i.venue,
    i.symbol,
    f.timeframe,
    f.horizon_bars,
    f.model,
    f.model_version,
    count(*) as forecasts,
    avg(s.absolute_error) as mae,
    avg(s.naive_absolute_error) as naive_mae,
    1 - sum(s.error_log_return ^ 2) / nullif(sum(s.actual_log_return ^ 2), 0) as skill,
    avg(s.is_direction_right::integer) as direction_accuracy,
    avg(s.is_covered::integer) as interval_coverage,
    avg(f.coverage) as nominal_coverage,
    min(f.target_at) as first_target_at,
    max(f.target_at) as last_target_at
from ml.forecast_score as s
inner join ml.forecast as f using (forecast_id)
inner join market.instrument as i using (instrument_id)
group by i.venue, i.symbol, f.timeframe, f.horizon_bars, f.model, f.model_version;
comment on view ml.scoreboard is 'Live skill of sealed forecasts per model version; skill 0 is the naive forecast.';

create view public.predictions as
select
    p.crypto,
    f.target_at as timestamp,
    f.horizon_bars * market.step(f.timeframe) as horizon,
    f.timeframe,
    f.predicted_price,
    f.lower_price,
    f.upper_price,
    f.coverage,
    f.model,
    f.model_version,
    f.is_naive,
    f.made_at,
    f.as_of,
    f.as_of_price,
    s.actual_price,
    p.venue,
    p.symbol,
    (select w.world from ops.world as w) as world
from ml.forecast as f
inner join features.coin_instrument as p using (instrument_id)
left join ml.forecast_score as s using (forecast_id);
comment on view public.predictions is 'Sealed price forecasts; key (crypto, timestamp, horizon, timeframe).';
