-- Counts per instrument and day as staged in reconciliation_day_staging; those that stay the same are not touched.
-- Parameter: recorded_at.
insert into market.reconciliation_day as held (
    instrument_id, timeframe, day, base, agree, quote_basis, outlier, missing, uncompared, recorded_at
)
select
    s.instrument_id,
    s.timeframe,
    s.day,
    s.base,
    s.agree,
    s.quote_basis,
    s.outlier,
    s.missing,
    s.uncompared,
    %(recorded_at)s
from reconciliation_day_staging as s
on conflict (instrument_id, timeframe, day) do update
    set
        base = excluded.base,
        agree = excluded.agree,
        quote_basis = excluded.quote_basis,
        outlier = excluded.outlier,
        missing = excluded.missing,
        uncompared = excluded.uncompared,
        recorded_at = excluded.recorded_at
    where
        (held.base, held.agree, held.quote_basis, held.outlier, held.missing, held.uncompared)
        is distinct from
        (
            excluded.base, excluded.agree, excluded.quote_basis,
            excluded.outlier, excluded.missing, excluded.uncompared
        )
