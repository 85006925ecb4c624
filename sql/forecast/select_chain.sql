-- Every sealed forecast as it lies there, chain by chain in the order of their places.
-- Key: forecast_id. No parameters. Times are microseconds since 1970-01-01 00:00 UTC; the last column is the hash.
select
    i.venue,
    i.symbol,
    f.forecast_id,
    f.instrument_id,
    f.timeframe::text as timeframe,
    f.horizon_bars,
    extract(epoch from f.as_of) * 1000000 as as_of,
    extract(epoch from f.target_at) * 1000000 as target_at,
    extract(epoch from f.made_at) * 1000000 as made_at,
    extract(epoch from f.sealed_at) * 1000000 as sealed_at,
    f.as_of_price,
    f.predicted_log_return,
    f.predicted_price,
    f.lower_price,
    f.upper_price,
    f.coverage,
    f.model,
    f.model_version,
    f.is_naive,
    f.chain_position,
    f.previous_sha256,
    f.row_sha256
from ml.forecast as f
left join market.instrument as i using (instrument_id)
order by f.instrument_id, f.timeframe, f.horizon_bars, f.chain_position, f.forecast_id
