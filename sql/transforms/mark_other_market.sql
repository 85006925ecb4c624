-- Puts down alerts that are not to be sent, because another market spoke for the coin that day.
-- Key: instrument_id, direction, triggered_at. No parameters.
update mart.price_alert as a set notification = 'other_market'
where
    a.notification is null
    and a.retracted_at is null
    and not exists (
        select from mart.speaking_alert as s
        where
            s.instrument_id = a.instrument_id
            and s.direction = a.direction
            and s.triggered_at = a.triggered_at
    )
