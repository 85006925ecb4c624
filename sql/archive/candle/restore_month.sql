-- Puts archived candles that the table lacks back as they were, from candle_restore_staging, in one statement.
-- Where the table meanwhile holds other values they stay, and the archived ones become a revision.
-- Key: instrument_id, timeframe, opened_at. Names: columns (values). Parameters: instrument_id, timeframe.
-- Answers the number of candles put back.
with revised as (
    insert into market.candle_revision (
        instrument_id, timeframe, opened_at, recorded_at, superseded_at, source, {{ columns | join(', ') }}
    )
    select
        t.instrument_id, t.timeframe, t.opened_at, s.recorded_at, t.recorded_at as superseded_at, s.source,
        s.{{ columns | join(', s.') }}
    from candle_restore_staging as s
    inner join market.candle as t
        on
            t.instrument_id = %(instrument_id)s
            and t.timeframe = %(timeframe)s::market.timeframe
            and s.opened_at = t.opened_at
    where (s.{{ columns | join(', s.') }}) is distinct from (t.{{ columns | join(', t.') }})
    order by t.opened_at
),

restored as (
    insert into market.candle (instrument_id, timeframe, opened_at, recorded_at, source, {{ columns | join(', ') }})
    select
        %(instrument_id)s, %(timeframe)s::market.timeframe, s.opened_at, s.recorded_at, s.source,
        s.{{ columns | join(', s.') }}
    from candle_restore_staging as s
    order by s.opened_at
    on conflict (instrument_id, timeframe, opened_at) do nothing
    returning 1
)

select count(*) from restored
