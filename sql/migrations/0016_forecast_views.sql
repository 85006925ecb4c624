-- The scoreboard compares with every baseline over several windows; predictions shows all that is sealed since 0014,
-- and forecast_status why there is no newer one.

create function ml.qlike(actual float8, predicted float8) returns float8
language sql immutable parallel safe
return case
    when actual is not null and predicted is not null
        then
            (greatest(actual, 1e-6) / greatest(predicted, 1e-6)) ^ 2
            - 2 * ln(greatest(actual, 1e-6) / greatest(predicted, 1e-6))
            - 1
end;
comment on function ml.qlike is
'Loss of a volatility forecast, on variances (Patton, 2011), 0 is perfect; 1e-6 stands for less.';

drop view ml.scoreboard;
create view ml.scoreboard as
with newest as (
    select max(f.target_at) as target_at
    from ml.forecast as f
    inner join ml.forecast_score using (forecast_id)
    where isfinite(f.target_at)
),

-- Days are 24 hours long and counted back from the newest target: every window is whole days. Which figures a forecast
-- has beside it is part of the key, so that one pass sums for every baseline the forecasts that it can be compared on.
summed as materialized (
    select
        f.instrument_id,
        f.timeframe,
        f.horizon_bars,
        f.model,
        f.model_version,
        f.volatility_model,
        f.volatility_model_version,
        floor(extract(epoch from n.target_at - f.target_at)::float8 / 86400)::integer as days_ago,
        f.drift_log_return is not null as has_drift,
        f.seasonal_log_return is not null as has_seasonal,
        f.predicted_volatility is not null and s.actual_volatility is not null as has_volatility,
        f.ewma_volatility is not null as has_ewma,
        f.har_volatility is not null as has_har,
        count(*) as forecasts,
        sum(s.error_log_return ^ 2) as loss,
        sum(s.actual_log_return ^ 2) as random_walk_loss,
        sum((s.actual_log_return - f.drift_log_return) ^ 2) as drift_loss,
        sum((s.actual_log_return - f.seasonal_log_return) ^ 2) as seasonal_loss,
        sum(abs(s.error_log_return)) as absolute_error,
        count(s.is_direction_right) as directions,
        count(*) filter (where s.is_direction_right) as right_directions,
        count(*) filter (where s.is_covered) as covered,
        count(s.is_covered_95) as intervals_95,
        count(*) filter (where s.is_covered_95) as covered_95,
        sum(ml.qlike(s.actual_volatility, f.predicted_volatility)) as volatility_loss,
        sum(ml.qlike(s.actual_volatility, f.ewma_volatility)) as ewma_loss,
        sum(ml.qlike(s.actual_volatility, f.har_volatility)) as har_loss,
        sum(abs(s.actual_volatility - f.predicted_volatility)) as volatility_error,
        count(*) filter (where s.is_volatility_covered) as volatility_covered,
        count(*) filter (where s.is_volatility_covered_95) as volatility_covered_95,
        min(f.target_at) as first_target_at,
        max(f.target_at) as last_target_at
    from ml.forecast_score as s
    inner join ml.forecast as f using (forecast_id)
    cross join newest as n
    where isfinite(f.target_at)
    group by
        f.instrument_id, f.timeframe, f.horizon_bars, f.model, f.model_version, f.volatility_model,
        f.volatility_model_version, days_ago, has_drift, has_seasonal, has_volatility, has_ewma, has_har
),

daily as materialized (
    select
        u.instrument_id,
        u.timeframe,
        u.horizon_bars,
        p.target,
        p.model,
        p.model_version,
        p.baseline,
        u.days_ago,
        sum(u.forecasts) as forecasts,
        sum(p.loss) as loss,
        sum(p.baseline_loss) as baseline_loss,
        sum(p.absolute_error) as absolute_error,
        sum(p.directions) as directions,
        sum(p.right_directions) as right_directions,
        sum(p.covered) as covered,
        sum(p.intervals_95) as intervals_95,
        sum(p.covered_95) as covered_95,
        min(u.first_target_at) as first_target_at,
        max(u.last_target_at) as last_target_at
    from summed as u
    cross join
        lateral (
            values
            (
                true, 'log_return', 'random_walk', u.model, u.model_version, u.loss, u.random_walk_loss,
                u.absolute_error, u.directions, u.right_directions, u.covered, u.intervals_95, u.covered_95
            ),
            (
                u.has_drift, 'log_return', 'drift', u.model, u.model_version, u.loss, u.drift_loss,
                u.absolute_error, u.directions, u.right_directions, u.covered, u.intervals_95, u.covered_95
            ),
            (
                u.has_seasonal, 'log_return', 'seasonal_hour', u.model, u.model_version, u.loss, u.seasonal_loss,
                u.absolute_error, u.directions, u.right_directions, u.covered, u.intervals_95, u.covered_95
            ),
            (
                u.has_volatility and u.has_ewma, 'volatility', 'ewma', u.volatility_model, u.volatility_model_version,
                u.volatility_loss, u.ewma_loss, u.volatility_error, 0, 0,
                u.volatility_covered, u.forecasts, u.volatility_covered_95
            ),
            (
                u.has_volatility and u.has_har, 'volatility', 'har', u.volatility_model, u.volatility_model_version,
                u.volatility_loss, u.har_loss, u.volatility_error, 0, 0,
                u.volatility_covered, u.forecasts, u.volatility_covered_95
            )
        )
            as p (
                is_compared, target, baseline, model, model_version, loss, baseline_loss,
                absolute_error, directions, right_directions, covered, intervals_95, covered_95
            )
    where p.is_compared
    group by
        u.instrument_id, u.timeframe, u.horizon_bars, p.target, p.model, p.model_version, p.baseline, u.days_ago
),

-- How far each day is from what the ratio of all days makes of its baseline: the days' part in the ratio's error.
deviating as (
    select
        d.*,
        w.time_window,
        d.loss - sum(d.loss) over series / nullif(sum(d.baseline_loss) over series, 0) * d.baseline_loss as deviation
    from daily as d
    inner join (values ('7 days', 7), ('30 days', 30), ('90 days', 90), ('all', null)) as w (time_window, days)
        on d.days_ago < w.days or w.days is null
    window
        series as (
            partition by
                d.instrument_id, d.timeframe, d.horizon_bars, d.target, d.model, d.model_version, d.baseline,
                w.time_window
        )
),

-- A day's outcomes reach into the day before, and what a forecast rests on lasts for days (Newey and West, 1987).
correlated as (
    select
        d.*,
        d.deviation ^ 2
        + d.deviation * coalesce(lag(d.deviation, 1) over series, 0) * 1.6
        + d.deviation * coalesce(lag(d.deviation, 2) over series, 0) * 1.2
        + d.deviation * coalesce(lag(d.deviation, 3) over series, 0) * 0.8
        + d.deviation * coalesce(lag(d.deviation, 4) over series, 0) * 0.4 as variance
    from deviating as d
    window
        series as (
            partition by
                d.instrument_id, d.timeframe, d.horizon_bars, d.target, d.model, d.model_version, d.baseline,
                d.time_window
            order by d.days_ago desc
        )
),

lines as (
    select
        c.instrument_id,
        c.timeframe,
        c.horizon_bars,
        c.target,
        c.model,
        c.model_version,
        c.baseline,
        c.time_window,
        sum(c.forecasts)::bigint as forecasts,
        count(*) as days,
        sum(c.loss) / sum(c.forecasts) as loss,
        sum(c.baseline_loss) / sum(c.forecasts) as baseline_loss,
        1 - sum(c.loss) / nullif(sum(c.baseline_loss), 0) as skill,
        case
            when count(*) >= 30
                then sqrt(greatest(sum(c.variance), 0) * count(*) / (count(*) - 1)) / nullif(sum(c.baseline_loss), 0)
        end as standard_error,
        sum(c.absolute_error) / sum(c.forecasts) as mae,
        (sum(c.right_directions) / nullif(sum(c.directions), 0))::float8 as direction_accuracy,
        (sum(c.covered) / sum(c.forecasts))::float8 as interval_coverage,
        (sum(c.covered_95) / nullif(sum(c.intervals_95), 0))::float8 as interval_coverage_95,
        min(c.first_target_at) as first_target_at,
        max(c.last_target_at) as last_target_at
    from correlated as c
    group by
        c.instrument_id, c.timeframe, c.horizon_bars, c.target, c.model, c.model_version, c.baseline, c.time_window
)

-- 95 % of Student's t by the first two terms of its expansion in 1 / degrees of freedom (Fisher and Cornish, 1960);
-- of these there are 1.5 times the days over the width of the window of lags, five.
select
    i.venue,
    i.symbol,
    l.timeframe,
    l.horizon_bars,
    l.target,
    l.model,
    l.model_version,
    l.baseline,
    l.time_window,
    l.forecasts,
    l.days,
    l.loss,
    l.baseline_loss,
    l.skill,
    l.skill - l.standard_error * t.quantile as skill_lower,
    l.skill + l.standard_error * t.quantile as skill_upper,
    l.mae,
    l.direction_accuracy,
    l.interval_coverage,
    l.interval_coverage_95,
    l.first_target_at,
    l.last_target_at
from lines as l
inner join market.instrument as i using (instrument_id)
cross join lateral (
    values (1.959963984540054::float8 + 2.372271 / (0.3 * l.days) + 2.822499 / (0.3 * l.days) ^ 2)
) as t (quantile);
comment on view ml.scoreboard is
'How sealed forecasts have done against each baseline, per model version and window; skill 0 is the baseline.';
comment on column ml.scoreboard.target is '`log_return`, or `volatility`; losses and mae are in its unit.';
comment on column ml.scoreboard.time_window is 'Back from the newest target that is scored, of any market.';
comment on column ml.scoreboard.forecasts is 'Scored forecasts at which the baseline had a forecast too.';
comment on column ml.scoreboard.days is
'Days of 24 hours that have such forecasts; the interval of the skill rests on them.';
comment on column ml.scoreboard.loss is 'Mean squared error of log returns; mean QLIKE (ml.qlike) of volatility.';
comment on column ml.scoreboard.skill is '1 - loss / baseline_loss.';
comment on column ml.scoreboard.skill_lower is
'With skill_upper the 95 % confidence interval of the skill; NULL below 30 days.';
comment on column ml.scoreboard.mae is 'Mean absolute error of the log return or of the volatility.';
comment on column ml.scoreboard.direction_accuracy is
'Of the forecasts that named a direction, where the price moved.';
comment on column ml.scoreboard.interval_coverage is 'Share of outcomes within the 80 % interval.';

create or replace view public.predictions as
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
    (select w.world from ops.world as w) as world,
    f.lower_price_95,
    f.upper_price_95,
    f.up_probability,
    f.made_at - f.model_trained_until as model_age,
    f.predicted_volatility,
    f.lower_volatility,
    f.upper_volatility,
    f.lower_volatility_95,
    f.upper_volatility_95,
    s.actual_volatility,
    f.volatility_model,
    f.volatility_model_version,
    f.volatility_model = 'har' as is_volatility_baseline,
    f.made_at - f.volatility_trained_until as volatility_model_age
from ml.forecast as f
inner join features.coin_instrument as p using (instrument_id)
left join ml.forecast_score as s using (forecast_id);
comment on column public.predictions.lower_price_95 is 'With upper_price_95 the 95 % interval; NULL in older rows.';
comment on column public.predictions.up_probability is 'Probability of a price above as_of_price.';
comment on column public.predictions.model_age is
'At made_at, since the last outcome the model learned from; NULL for the naive forecast.';
comment on column public.predictions.predicted_volatility is
'Root of the sum of squared log returns of the bars up to the target; NULL where it is not forecast.';
comment on column public.predictions.lower_volatility is
'With upper_volatility the interval meant to hold `coverage` of outcomes; the columns of 95 alike.';
comment on column public.predictions.actual_volatility is 'NULL until every candle up to the target is there.';
comment on column public.predictions.is_volatility_baseline is
'No volatility model is promoted, and the baseline `har` is served; NULL where no volatility is forecast.';
comment on column public.predictions.volatility_model_age is 'As model_age; NULL for the baseline.';

create view public.forecast_status as
with newest as (
    select distinct on (f.instrument_id, f.timeframe, f.horizon_bars) f.*
    from ml.forecast as f
    order by f.instrument_id asc, f.timeframe asc, f.horizon_bars asc, f.chain_position desc
),

refused as (
    select distinct on (r.instrument_id, r.timeframe, r.horizon_bars, r.target) r.*
    from ml.refusal as r
    order by
        r.instrument_id asc, r.timeframe asc, r.horizon_bars asc, r.target asc, r.last_refused_at desc,
        r.refusal_id desc
),

series as (
    select n.instrument_id, n.timeframe, n.horizon_bars from newest as n
    union
    select r.instrument_id, r.timeframe, r.horizon_bars from refused as r
),

judged as (
    select
        k.instrument_id,
        k.timeframe,
        k.horizon_bars,
        coalesce(r.last_refused_at > n.made_at, n.made_at is null) as is_refused,
        n.predicted_volatility is null
        and coalesce(v.last_refused_at >= n.made_at, false) as is_volatility_refused,
        w.world = 'live' and n.target_at <= now() as is_past,
        r.reason_class,
        r.reason,
        r.last_refused_at,
        v.reason as volatility_reason,
        w.world
    from series as k
    left join newest as n using (instrument_id, timeframe, horizon_bars)
    left join refused as r
        on
            k.instrument_id = r.instrument_id and k.timeframe = r.timeframe and k.horizon_bars = r.horizon_bars
            and r.target = 'log_return'
    left join refused as v
        on
            k.instrument_id = v.instrument_id and k.timeframe = v.timeframe and k.horizon_bars = v.horizon_bars
            and v.target = 'volatility'
    left join ops.world as w on true
)

select
    i.venue,
    i.symbol,
    j.timeframe,
    j.horizon_bars * market.step(j.timeframe) as horizon,
    case when j.is_refused then 'refused' when j.is_past then 'none' else 'served' end as state,
    case when j.is_refused then j.reason_class end as reason_class,
    case when j.is_refused then j.reason end as reason,
    case when j.is_refused then j.last_refused_at end as refused_at,
    case
        when j.is_refused or j.is_volatility_refused then 'refused'
        when n.predicted_volatility is null or j.is_past then 'none'
        else 'served'
    end as volatility_state,
    case
        when j.is_refused then j.reason
        when j.is_volatility_refused then j.volatility_reason
    end as volatility_reason,
    n.as_of,
    n.target_at as timestamp,
    n.made_at,
    n.model,
    n.model_version,
    n.is_naive,
    n.made_at - n.model_trained_until as model_age,
    n.volatility_model,
    n.volatility_model_version,
    n.volatility_model = 'har' as is_volatility_baseline,
    n.made_at - n.volatility_trained_until as volatility_model_age,
    j.world
from judged as j
inner join market.instrument as i using (instrument_id)
left join newest as n using (instrument_id, timeframe, horizon_bars);
comment on view public.forecast_status is
'Whether each market and horizon is being forecast, or why not; key (venue, symbol, timeframe, horizon).';
comment on column public.forecast_status.state is
'`served`: the newest forecast stands; `refused`: the last attempt was, for `reason`; `none`: the newest target has '
'passed and nothing followed (in the live world, whose clock the database knows).';
comment on column public.forecast_status.volatility_state is
'As state, of the volatility forecast; `none` also where none is made at this horizon.';
comment on column public.forecast_status.as_of is 'This and what follows is of the newest forecast, refused or not.';
comment on column public.forecast_status.model_age is
'At made_at, since the last outcome the model learned from; NULL for the naive forecast.';
