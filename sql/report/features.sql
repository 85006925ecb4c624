-- Feature rows per market and timeframe. No parameters.
select
    i.venue || ' ' || i.symbol as market,
    f.timeframe::text as timeframe,
    count(*) as feature_rows,
    max(f.opened_at) as newest_opened_at
from features.candle_feature as f
inner join market.instrument as i using (instrument_id)
group by i.venue, i.symbol, f.timeframe
order by i.venue, i.symbol, f.timeframe
