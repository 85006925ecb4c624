-- Which rows of each series are checked: open times [checked_from, checked_until). Key: instrument_id, timeframe.
-- From the last recent_days of its candles and rows on, or from what was written of late on: candles or index values
-- recorded in the changed_hours before the newest change, features recomputed in them. The newest change is the clock,
-- so that a warehouse that stands still is checked as it was. Until what no run of the features has dealt with yet.
-- Rows before recomputable_from (NULL: there are none) keep what they have: the candles they are made of were dropped
-- after archival. Columns that are newer than the rows stay NULL there, and late index values are not joined.
-- Names: is_full (true: every row there is), recent_days, changed_hours, memories (bars by timeframe: how many candles
-- a row is made of, as the upsert counts them). No parameters.
with newest_change as (
    select c.change_id, c.recorded_at - interval '{{ changed_hours }} hours' as changed_since
    from ops.change_range as c
    order by c.change_id desc
    limit 1
),

-- The last ids rather than all: recorded_at has no index, and ids follow it closely.
changed as (
    select c.instrument_id, c.timeframe, min(c.starts_at) as changed_from
    from ops.change_range as c
    inner join newest_change as n on c.change_id > n.change_id - 10000 and c.recorded_at >= n.changed_since
    group by c.instrument_id, c.timeframe
),

pending as (
    select c.dataset, c.instrument_id, c.timeframe, min(c.starts_at) as pending_from
    from ops.change_range as c
    where
        c.dataset in ('candle', 'fear_greed')
        and not exists (
            select 1 from ops.change_receipt as r where r.consumer = 'features' and r.change_id = c.change_id
        )
    group by c.dataset, c.instrument_id, c.timeframe
),

memory (timeframe, bars) as (
    values
    {%- for timeframe, bars in memories.items() %}
    ('{{ timeframe }}'::market.timeframe, {{ bars }}){{ "," if not loop.last }}
    {%- endfor %}
),

newest as (
    select
        i.instrument_id,
        t.timeframe,
        i.venue || ':' || i.symbol as market,
        greatest(
            (
                select max(c.opened_at) from market.candle as c
                where c.instrument_id = i.instrument_id and c.timeframe = t.timeframe
            ),
            (
                select max(f.opened_at) from features.candle_feature as f
                where f.instrument_id = i.instrument_id and f.timeframe = t.timeframe
            )
        ) as newest_at,
        (
            select max(m.last_opened_at) + (1 + t.bars) * market.step(t.timeframe) from ops.archive_manifest as m
            where m.instrument_id = i.instrument_id and m.timeframe = t.timeframe and m.dropped_at is not null
        ) as recomputable_from
    from market.instrument as i
    cross join memory as t
)

select
    n.instrument_id,
    n.timeframe,
    n.market,
    case
        when {{ 'true' if is_full else 'false' }} or d.recorded_at >= (select w.changed_since from newest_change as w)
            then '-infinity'
        else
            least(
                n.newest_at - interval '{{ recent_days }} days',
                (
                    select min(c.changed_from) from changed as c
                    where
                        c.instrument_id is null
                        or (c.instrument_id = n.instrument_id and c.timeframe = n.timeframe)
                )
            )
    end as checked_from,
    coalesce(p.pending_from, 'infinity') as checked_until,
    n.recomputable_from,
    not exists (select 1 from pending as i where i.dataset = 'fear_greed') as is_index_settled
from newest as n
left join features.definition as d on n.instrument_id = d.instrument_id and n.timeframe = d.timeframe
left join pending as p on n.instrument_id = p.instrument_id and n.timeframe = p.timeframe
where n.newest_at is not null
