-- Puts down that an alert, or that it was taken back, was sent. Keys: instrument_id, direction, triggered_at.
-- Parameters: the keys, kind (alert or retraction), now.
update mart.price_alert as a set
    notification = 'sent',
    notified_at = case when %(kind)s = 'alert' then %(now)s else a.notified_at end,
    retraction_notification = case when %(kind)s = 'retraction' then 'sent' end,
    retraction_notified_at = case when %(kind)s = 'retraction' then %(now)s::timestamptz end
where
    a.instrument_id = %(instrument_id)s
    and a.direction = %(direction)s
    and a.triggered_at = %(triggered_at)s
