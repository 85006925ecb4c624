-- From the first open time to the last of each timeframe a coin has candles of, over all its instruments, and the
-- first open time after the newest candle that was dropped after archival (NULL: none was).
-- Key: timeframe. Parameters: crypto (NULL: every coin).
select
    t.timeframe::text,
    min(held.first_opened_at) as first_opened_at,
    max(held.last_opened_at) as last_opened_at,
    max(dropped.until) as kept_from
from market.instrument as i
cross join unnest(enum_range(null::market.timeframe)) as t (timeframe)
cross join
    lateral (
        select
            min(c.opened_at) as first_opened_at,
            max(c.opened_at) as last_opened_at
        from market.candle as c
        where c.instrument_id = i.instrument_id and c.timeframe = t.timeframe
    ) as held
cross join
    lateral (
        select max(m.last_opened_at) + market.step(t.timeframe) as until
        from ops.archive_manifest as m
        where m.instrument_id = i.instrument_id and m.timeframe = t.timeframe and m.dropped_at is not null
    ) as dropped
where i.base = coalesce(%(crypto)s, i.base)
group by t.timeframe
having min(held.first_opened_at) is not null
order by t.timeframe
