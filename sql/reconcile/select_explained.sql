-- Ranges of open times in which the ledger or the archive explains why a candle is not in the table.
-- Parameters: timeframe, starts_at, ends_at.
select
    instrument_id,
    lower(covers) as starts_at,
    upper(covers) as ends_at
from market.coverage
where timeframe = %(timeframe)s and covers && tstzrange(%(starts_at)s, %(ends_at)s)
union all
select
    instrument_id,
    month::timestamp at time zone 'UTC',
    (month + interval '1 month') at time zone 'UTC'
from ops.archive_manifest
where
    timeframe = %(timeframe)s
    and dropped_at is not null
    and month::timestamp at time zone 'UTC' < %(ends_at)s
    and (month + interval '1 month') at time zone 'UTC' > %(starts_at)s
