-- When each month of a series was last read as a whole: its last audit, else the oldest of its answers.
-- Parameters: instrument_id, timeframe. Answers month (its first day) and last_read.
select
    month.starts_at::date as month,
    coalesce(max(reading.recorded_at) filter (where reading.is_audit), min(reading.recorded_at)) as last_read
from (
    select
        a.covers,
        a.recorded_at,
        false as is_audit
    from market.attestation as a
    where a.instrument_id = %(instrument_id)s and a.timeframe = %(timeframe)s::market.timeframe
    union all
    select
        r.covers,
        r.recorded_at,
        true
    from ops.repair_step as r
    where
        r.instrument_id = %(instrument_id)s and r.timeframe = %(timeframe)s::market.timeframe
        and r.purpose = 'audit' and r.outcome = 'done'
) as reading
cross join
    lateral generate_series(
        date_trunc('month', lower(reading.covers) at time zone 'UTC'),
        upper(reading.covers) at time zone 'UTC' - interval '1 microsecond',
        interval '1 month'
    ) as month (starts_at)
group by month.starts_at
