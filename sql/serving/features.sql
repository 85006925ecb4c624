-- Hours of one coin, as the view crypto_prices has them. Names: columns (of the feature registry).
-- Parameters: crypto, starts_at, ends_at (half-open window of the hours' closes), after_timestamp, limit.
select
    v.crypto,
    v.timestamp,
    v.open,
    v.high,
    v.low,
    v.price,
    v.volume,
    v.quote_volume,
    {% for column in columns %}v.{{ column }},
    {% endfor %}v.opened_at,
    v.venue,
    v.symbol
from public.crypto_prices as v
where
    v.crypto = %(crypto)s
    and v.opened_at >= %(starts_at)s::timestamptz - interval '1 hour'
    and v.opened_at < %(ends_at)s::timestamptz - interval '1 hour'
    and (
        %(after_timestamp)s::timestamptz is null
        or v.opened_at > %(after_timestamp)s::timestamptz - interval '1 hour'
    )
order by v.opened_at
limit %(limit)s
