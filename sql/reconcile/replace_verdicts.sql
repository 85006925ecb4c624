-- Verdicts of some bases in [starts_at, ends_at) become those staged in reconciliation_staging: what is no longer said
-- goes, what is new or differs is written, what stays the same is not touched. Answers how many were written and went.
-- Parameters: bases, timeframe, starts_at, ends_at, recorded_at.
with unsaid as (
    select
        base,
        opened_at,
        instrument_id
    from market.reconciliation
    where
        base = any(%(bases)s)
        and timeframe = %(timeframe)s
        and opened_at >= %(starts_at)s
        and opened_at < %(ends_at)s
    except
    select
        base,
        opened_at,
        instrument_id
    from reconciliation_staging
),

gone as (
    delete from market.reconciliation as held
    using unsaid as u
    where
        held.base = u.base
        and held.timeframe = %(timeframe)s
        and held.opened_at = u.opened_at
        and held.instrument_id = u.instrument_id
    returning held.base
),

written as (
    insert into market.reconciliation as held (
        base, timeframe, opened_at, instrument_id, verdict, reason, is_attributed, suspects,
        deviation_bps, threshold_bps, basis_bps, recorded_at
    )
    select
        s.base,
        s.timeframe,
        s.opened_at,
        s.instrument_id,
        s.verdict,
        s.reason,
        s.is_attributed,
        s.suspects,
        s.deviation_bps,
        s.threshold_bps,
        s.basis_bps,
        %(recorded_at)s
    from reconciliation_staging as s
    on conflict (base, timeframe, opened_at, instrument_id) do update
        set
            verdict = excluded.verdict,
            reason = excluded.reason,
            is_attributed = excluded.is_attributed,
            suspects = excluded.suspects,
            deviation_bps = excluded.deviation_bps,
            threshold_bps = excluded.threshold_bps,
            basis_bps = excluded.basis_bps,
            recorded_at = excluded.recorded_at
        where
            (
                held.verdict, held.reason, held.is_attributed, held.suspects,
                held.deviation_bps, held.threshold_bps, held.basis_bps
            ) is distinct from (
                excluded.verdict, excluded.reason, excluded.is_attributed, excluded.suspects,
                excluded.deviation_bps, excluded.threshold_bps, excluded.basis_bps
            )
    returning held.base
)

select
    (select count(*) from written) as written,
    (select count(*) from gone) as gone
