-- Each series that is forecast or was refused, with its newest forecast and all that decides whether that stands:
-- newest candle and features (close times), refusals, trainings, and whether the row is what was sealed.
-- Parameters: venue, symbol, horizon (ISO 8601; NULL: all).
with recursive {% include 'serving/walk_forecast_series.jinja' %}

series as (
    select
        s.instrument_id,
        s.timeframe,
        s.horizon_bars
    from forecast_series as s
    union
    select
        r.instrument_id,
        r.timeframe,
        r.horizon_bars
    from ml.refusal as r
)

select
    s.instrument_id,
    i.base as crypto,
    i.venue,
    i.symbol,
    s.timeframe::text as timeframe,
    s.horizon_bars,
    s.horizon_bars * market.step(s.timeframe) as horizon,
    n.as_of,
    n.target_at,
    n.made_at,
    n.as_of_price,
    n.predicted_price,
    n.lower_price,
    n.upper_price,
    n.coverage,
    n.lower_price_95,
    n.upper_price_95,
    n.up_probability,
    n.model,
    n.model_version,
    n.is_naive,
    n.model_trained_until,
    n.predicted_volatility,
    n.lower_volatility,
    n.upper_volatility,
    n.lower_volatility_95,
    n.upper_volatility_95,
    n.volatility_model,
    n.volatility_model_version,
    n.volatility_trained_until,
    n.row_sha256 = encode(sha256(convert_to(ml.sealed_text(n.sealed), 'UTF8')), 'hex')
    and n.previous_sha256 = coalesce(b.row_sha256, repeat('0', 64)) as is_sealed,
    r.reason_class,
    r.reason,
    r.last_refused_at,
    v.reason as volatility_reason,
    v.last_refused_at as volatility_refused_at,
    c.closed_at as candle_closed_at,
    x.closed_at as features_closed_at,
    lacking.features as features_lacking,
    t.trained_at,
    t.volatility_trained_at
from series as s
inner join market.instrument as i using (instrument_id)
left join lateral (
    select
        f as sealed,
        f.*
    from ml.forecast as f
    where f.instrument_id = s.instrument_id and f.timeframe = s.timeframe and f.horizon_bars = s.horizon_bars
    order by f.as_of desc
    limit 1
) as n on true
left join ml.forecast as b
    on
        s.instrument_id = b.instrument_id and s.timeframe = b.timeframe and s.horizon_bars = b.horizon_bars
        and n.chain_position = b.chain_position + 1
left join lateral (
    select q.*
    from ml.refusal as q
    where
        q.instrument_id = s.instrument_id and q.timeframe = s.timeframe and q.horizon_bars = s.horizon_bars
        and q.target = 'log_return'
    order by q.last_refused_at desc, q.refusal_id desc
    limit 1
) as r on true
left join lateral (
    select q.*
    from ml.refusal as q
    where
        q.instrument_id = s.instrument_id and q.timeframe = s.timeframe and q.horizon_bars = s.horizon_bars
        and q.target = 'volatility'
    order by q.last_refused_at desc, q.refusal_id desc
    limit 1
) as v on true
left join lateral (
    select q.opened_at + market.step(q.timeframe) as closed_at
    from market.candle as q
    where q.instrument_id = s.instrument_id and q.timeframe = s.timeframe
    order by q.opened_at desc
    limit 1
) as c on true
left join lateral (
    select q.opened_at + market.step(q.timeframe) as closed_at
    from features.candle_feature as q
    where q.instrument_id = s.instrument_id and q.timeframe = s.timeframe
    order by q.opened_at desc
    limit 1
) as x on true
cross join
    lateral (
        select count(*) as features
        from market.candle as q
        where
            q.instrument_id = s.instrument_id and q.timeframe = s.timeframe
            and q.opened_at >= x.closed_at - interval '24 hours' and q.opened_at < x.closed_at
            and not exists (
                select from features.candle_feature as o
                where o.instrument_id = q.instrument_id and o.timeframe = q.timeframe and o.opened_at = q.opened_at
            )
    ) as lacking
cross join
    lateral (
        select
            max(q.trained_at) filter (where q.target = 'log_return') as trained_at,
            max(q.trained_at) filter (where q.target = 'volatility') as volatility_trained_at
        from ml.training_run as q
        where q.instrument_id = s.instrument_id and q.timeframe = s.timeframe and q.horizon_bars = s.horizon_bars
    ) as t
where
    (%(venue)s::text is null or i.venue = %(venue)s)
    and (%(symbol)s::text is null or i.symbol = %(symbol)s)
    and (%(horizon)s::interval is null or s.horizon_bars * market.step(s.timeframe) = %(horizon)s::interval)
order by i.venue, i.symbol, s.timeframe, s.horizon_bars
