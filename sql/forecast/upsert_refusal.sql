-- Say why a forecast, or the volatility part of one, was refused; the same reason again only counts.
-- Key: (instrument_id, timeframe, horizon_bars, target, reason). Parameters: the columns; now: when (UTC).
insert into ml.refusal (
    instrument_id, timeframe, horizon_bars, target, reason_class, reason, refused_at, last_refused_at
)
values (
    %(instrument_id)s, %(timeframe)s, %(horizon_bars)s, %(target)s, %(reason_class)s, %(reason)s, %(now)s, %(now)s
)
on conflict (instrument_id, timeframe, horizon_bars, target, reason) do update
    set
        last_refused_at = greatest(ml.refusal.last_refused_at, excluded.last_refused_at),
        times = ml.refusal.times + 1
