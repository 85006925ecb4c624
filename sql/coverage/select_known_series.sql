-- Series of which anything is known, as market.series has them, by venue, symbol and timeframe: one look into a key for
-- each (the order makes it one), where the view may read every candle. No parameters.
select i.instrument_id, i.venue, i.symbol, t.timeframe::text
from market.instrument as i
cross join unnest(enum_range(null::market.timeframe)) as t (timeframe)
where
    coalesce(
        (
            select true
            from market.candle as c
            where c.instrument_id = i.instrument_id and c.timeframe = t.timeframe
            order by c.opened_at
            limit 1
        ),
        (
            select true
            from market.attestation as a
            where a.instrument_id = i.instrument_id and a.timeframe = t.timeframe
            order by a.covers
            limit 1
        ),
        (
            select true
            from market.coverage as k
            where k.instrument_id = i.instrument_id and k.timeframe = t.timeframe
            order by k.coverage_id
            limit 1
        ),
        (
            select true
            from ops.archive_manifest as m
            where m.instrument_id = i.instrument_id and m.timeframe = t.timeframe and m.dropped_at is not null
            order by m.month
            limit 1
        ),
        false
    )
order by i.venue, i.symbol, t.timeframe
