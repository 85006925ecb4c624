-- Rows of answers that failed validation, the newest first, with the text as it came.
-- Parameters: dataset, venue, symbol (NULL: all), starts_at, ends_at (half-open window of when they came; NULL: all),
-- after_quarantine_id, limit.
select
    q.quarantine_id,
    q.recorded_at,
    q.dataset,
    q.source,
    i.venue,
    i.symbol,
    q.timeframe::text as timeframe,
    q.opened_at,
    q.reason,
    q.request,
    q.raw
from market.quarantine as q
left join market.instrument as i using (instrument_id)
where
    (%(dataset)s::text is null or q.dataset = %(dataset)s)
    and (%(venue)s::text is null or i.venue = %(venue)s)
    and (%(symbol)s::text is null or i.symbol = %(symbol)s)
    and (%(starts_at)s::timestamptz is null or q.recorded_at >= %(starts_at)s)
    and (%(ends_at)s::timestamptz is null or q.recorded_at < %(ends_at)s)
    and (%(after_quarantine_id)s::bigint is null or q.quarantine_id < %(after_quarantine_id)s)
order by q.quarantine_id desc
limit %(limit)s
