-- How many trainings of one series and kind, on other data or by another definition, judged rows of a window.
-- Parameters: instrument_id, timeframe, target, horizon_bars, dataset_sha256, definition_sha256, test_starts_at,
-- test_ends_at (half-open). Answers one row: trainings.
select count(distinct t.dataset_sha256 || t.definition_sha256) as trainings
from ml.training_run as t
where
    t.instrument_id = %(instrument_id)s
    and t.timeframe = %(timeframe)s::market.timeframe
    and t.target = %(target)s
    and t.horizon_bars = %(horizon_bars)s
    and (t.dataset_sha256, t.definition_sha256) <> (%(dataset_sha256)s, %(definition_sha256)s)
    and t.test_starts_at < %(test_ends_at)s
    and t.test_ends_at > %(test_starts_at)s
