-- The earliest open time in [since, until), from the series' first candle on, that has neither a candle nor a reason in
-- the ledger; NULL where none is. A month that left the table for the archive is not missing.
-- Parameters: instrument_id, timeframe, since, until (open times of the timeframe).
select min(expected.opened_at)
from (
    select min(opened_at) as opened_at
    from market.candle
    where instrument_id = %(instrument_id)s and timeframe = %(timeframe)s
    having count(*) > 0
) as oldest
cross join
    lateral generate_series(
        greatest(oldest.opened_at, %(since)s),
        %(until)s - market.step(%(timeframe)s),
        market.step(%(timeframe)s)
    ) as expected (opened_at)
left join market.candle as held
    on
        held.instrument_id = %(instrument_id)s
        and held.timeframe = %(timeframe)s
        and expected.opened_at = held.opened_at
where
    held.opened_at is null
    and not exists (
        select from market.coverage as known
        where
            known.instrument_id = %(instrument_id)s
            and known.timeframe = %(timeframe)s
            and known.covers @> expected.opened_at
    )
    and not exists (
        select from ops.archive_manifest as archived
        where
            archived.instrument_id = %(instrument_id)s
            and archived.timeframe = %(timeframe)s
            and archived.dropped_at is not null
            and archived.month = date_trunc('month', expected.opened_at at time zone 'UTC')::date
    )
