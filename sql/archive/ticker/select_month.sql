-- One month of an instrument's tickers in order, as the archive holds them.
-- Names: columns. Parameters: instrument_id, starts_at, ends_at.
select {{ columns | join(', ') }}
from market.ticker
where
    instrument_id = %(instrument_id)s
    and observed_at >= %(starts_at)s and observed_at < %(ends_at)s
order by observed_at
