-- Series that have candles and no features by the present definitions. Key: instrument_id, timeframe.
-- Parameters: sha256 of the definitions.
select
    i.instrument_id,
    t.timeframe::text
from market.instrument as i
cross join unnest(enum_range(null::market.timeframe)) as t (timeframe)
left join features.definition as d
    on i.instrument_id = d.instrument_id and t.timeframe = d.timeframe and d.sha256 = %(sha256)s
where
    d.sha256 is null
    -- The order makes it a look into the primary key; without one every candle is read.
    and (
        select c.opened_at
        from market.candle as c
        where c.instrument_id = i.instrument_id and c.timeframe = t.timeframe
        order by c.opened_at
        limit 1
    ) is not null
order by i.instrument_id, t.timeframe
