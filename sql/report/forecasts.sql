-- The newest sealed forecast of each coin and horizon. No parameters.
select distinct on (crypto, horizon)
    crypto,
    timestamp,
    extract(hours from horizon)::integer as hours,
    as_of_price,
    predicted_price,
    lower_price,
    upper_price,
    is_naive,
    model_version,
    made_at
from public.predictions
order by crypto asc, horizon asc, as_of desc, made_at desc
