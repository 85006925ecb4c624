-- The oldest alert that stands and is to be sent, or was sent and is to be taken back; locked until the transaction
-- ends, and passed over by whoever comes meanwhile. Key: instrument_id, direction, triggered_at.
-- Parameters: triggered_at, instrument_id, direction of the one before, which need not have been sent; NULL for none.
select
    a.instrument_id,
    case when a.retracted_at is null then 'alert' else 'retraction' end as kind,
    a.crypto,
    i.venue,
    i.symbol,
    i.quote,
    a.direction,
    a.triggered_at,
    a.change_percent,
    a.price,
    a.price_before,
    a.threshold_percent,
    a.change_window
from mart.price_alert as a
inner join market.instrument as i using (instrument_id)
where
    (
        (a.notification is null and a.retracted_at is null)
        or (a.notification = 'sent' and a.retracted_at is not null and a.retraction_notification is null)
    )
    and (
        %(triggered_at)s::timestamptz is null
        or (a.triggered_at, a.instrument_id, a.direction)
        > (%(triggered_at)s::timestamptz, %(instrument_id)s::integer, %(direction)s::text)
    )
order by a.triggered_at, a.instrument_id, a.direction
limit 1
for no key update of a skip locked
