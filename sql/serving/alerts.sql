-- Alerts that stand or were sent, as the view price_alerts has them.
-- Parameters: crypto (NULL: any), starts_at, ends_at (half-open window of triggered_at), after_triggered_at,
-- after_crypto, after_venue, after_symbol, after_direction (NULL at the start), limit.
select
    a.crypto,
    a.direction,
    a.triggered_at,
    a.change_percent,
    a.price,
    a.price_before,
    a.threshold_percent,
    a.change_window,
    a.known_at,
    a.notification,
    a.notified_at,
    a.retracted_at,
    a.venue,
    a.symbol
from public.price_alerts as a
where
    a.crypto = coalesce(%(crypto)s::text, a.crypto)
    and a.triggered_at >= %(starts_at)s
    and a.triggered_at < %(ends_at)s
    and (
        %(after_triggered_at)s::timestamptz is null
        or (a.triggered_at, a.crypto, a.venue, a.symbol, a.direction) > (
            %(after_triggered_at)s::timestamptz, %(after_crypto)s::text, %(after_venue)s::text,
            %(after_symbol)s::text, %(after_direction)s::text
        )
    )
order by a.triggered_at, a.crypto, a.venue, a.symbol, a.direction
limit %(limit)s
