-- Series that hold candles in calendar months (UTC) lying wholly in a window, oldest month first.
-- Parameters: starts_at, ends_at.
with months as (
    select
        instrument_id,
        timeframe,
        date_trunc('month', opened_at at time zone 'UTC') as month,
        count(*) as row_count
    from market.candle
    where opened_at >= %(starts_at)s and opened_at < %(ends_at)s
    group by instrument_id, timeframe, date_trunc('month', opened_at at time zone 'UTC')
)

select i.instrument_id, i.venue, i.symbol, m.timeframe::text, m.month::date, m.row_count
from months as m
inner join market.instrument as i using (instrument_id)
where
    m.month at time zone 'UTC' >= %(starts_at)s
    and (m.month + interval '1 month') at time zone 'UTC' <= %(ends_at)s
order by m.month, i.venue, i.symbol, m.timeframe
