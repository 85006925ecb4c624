-- Notes the completeness of one series. Parameters: instrument_id, timeframe, expected, observed, unknown,
-- is_configured, counted_at.
insert into ops.coverage_count (
    instrument_id, timeframe, expected, observed, unknown, is_configured, counted_at
)
values (
    %(instrument_id)s, %(timeframe)s, %(expected)s, %(observed)s, %(unknown)s, %(is_configured)s, %(counted_at)s
)
on conflict (instrument_id, timeframe) do update
set
    expected = excluded.expected,
    observed = excluded.observed,
    unknown = excluded.unknown,
    is_configured = excluded.is_configured,
    counted_at = excluded.counted_at
