-- The newest sealed forecast of each coin and horizon. No parameters.
select distinct on (crypto, horizon)
    crypto,
    timestamp,
    extract(epoch from horizon)::integer / 3600 as hours,
    as_of_price,
    predicted_price,
    lower_price,
    upper_price,
    lower_price_95,
    upper_price_95,
    predicted_volatility,
    lower_volatility_95,
    upper_volatility_95,
    model_version,
    volatility_model,
    volatility_model_version,
    made_at
from public.predictions
order by crypto asc, horizon asc, as_of desc, made_at desc
