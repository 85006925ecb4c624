-- What one training learned from, for finding it again. Key: training_run_id. Parameters: training_run_id.
select
    t.instrument_id,
    i.venue || ':' || i.symbol as market,
    t.timeframe::text as timeframe,
    t.target,
    t.horizon_bars,
    t.known_at,
    t.rows_since,
    t.dataset_sha256,
    t.code_version
from ml.training_run as t
inner join market.instrument as i using (instrument_id)
where t.training_run_id = %(training_run_id)s
