-- The last candles of a series that no pending change reaches, newest first, each with its stored features (NULL where
-- it has none). bar = whole steps since the epoch. Key: bar. Names: columns.
-- Parameters: instrument_id, timeframe, step_seconds, bars.
with pending as (
    select min(r.starts_at) as pending_from
    from ops.change_range as r
    where
        r.dataset = 'candle' and r.instrument_id = %(instrument_id)s
        and r.timeframe = %(timeframe)s::market.timeframe
        and not exists (
            select 1 from ops.change_receipt as t where t.consumer = 'features' and t.change_id = r.change_id
        )
)

select
    (extract(epoch from c.opened_at)::bigint / %(step_seconds)s)::float8 as bar,
    c.high::float8,
    c.low::float8,
    c.close::float8,
    f.{{ columns | join(', f.') }}
from market.candle as c
left join features.candle_feature as f
    on c.instrument_id = f.instrument_id and c.timeframe = f.timeframe and c.opened_at = f.opened_at
where
    c.instrument_id = %(instrument_id)s
    and c.timeframe = %(timeframe)s::market.timeframe
    and c.opened_at < coalesce((select p.pending_from from pending as p), 'infinity')
order by c.opened_at desc
limit %(bars)s
