-- Makes the partitions of market.ticker that are not there yet. Parameters: months (array of first days, UTC).
select market.add_ticker_month(m.month)
from unnest(%(months)s::date[]) as m (month)
order by m.month
