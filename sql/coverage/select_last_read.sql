-- When each month of a series was last read as a whole: its last audit, else the oldest of its answers. Months are
-- those in which an answer begins or an audit was done. Parameters: instrument_id, timeframe.
-- Answers month (its first day) and last_read.
select
    reading.month,
    coalesce(max(reading.recorded_at) filter (where reading.is_audit), min(reading.recorded_at)) as last_read
from (
    select
        date_trunc('month', lower(a.covers) at time zone 'UTC')::date as month,
        a.recorded_at,
        false as is_audit
    from market.attestation as a
    where a.instrument_id = %(instrument_id)s and a.timeframe = %(timeframe)s::market.timeframe
    union all
    select
        date_trunc('month', lower(r.covers) at time zone 'UTC')::date,
        r.recorded_at,
        true
    from ops.repair_step as r
    where
        r.instrument_id = %(instrument_id)s and r.timeframe = %(timeframe)s::market.timeframe
        and r.purpose = 'audit' and r.outcome = 'done'
) as reading
group by reading.month
