-- What one step of a repair did. Parameters: the columns by name (covers: a range).
insert into ops.repair_step (
    instrument_id, timeframe, purpose, reason, covers, requests, outcome, rows_new, rows_changed, explanation,
    recorded_at
)
values (
    %(instrument_id)s, %(timeframe)s::market.timeframe, %(purpose)s, %(reason)s, %(covers)s::tstzrange, %(requests)s,
    %(outcome)s, %(rows_new)s, %(rows_changed)s, %(explanation)s, %(recorded_at)s
)
