-- Instruments with tickers in calendar months (UTC) that ended by a time, oldest month first. Parameters: ends_at.
with months as (
    select
        instrument_id,
        date_trunc('month', observed_at at time zone 'UTC') as month,
        count(*) as row_count
    from market.ticker
    where observed_at < %(ends_at)s
    group by instrument_id, date_trunc('month', observed_at at time zone 'UTC')
)

select i.instrument_id, i.venue, i.symbol, null as timeframe, m.month::date, m.row_count
from months as m
inner join market.instrument as i using (instrument_id)
where (m.month + interval '1 month') at time zone 'UTC' <= %(ends_at)s
order by m.month, i.venue, i.symbol
