-- Makes writing a candle nearly four times as cheap, with the same rules kept.
-- market.step was strict, and a strict CASE is called as a function for each row of each check; without it PostgreSQL
-- reads it as part of the check itself. The answer for NULL stays NULL.
-- The foreign key looked up the instrument once per candle. That of ops.change_range, where each write of candles is
-- noted in its own transaction, does so once per range; and an instrument that has candles still cannot go.

create or replace function market.step(timeframe market.timeframe) returns interval
language sql immutable parallel safe
return case timeframe
    when '1m' then interval '1 minute'
    when '5m' then interval '5 minutes'
    when '15m' then interval '15 minutes'
    when '30m' then interval '30 minutes'
    when '1h' then interval '1 hour'
    when '2h' then interval '2 hours'
    when '4h' then interval '4 hours'
    when '6h' then interval '6 hours'
    when '12h' then interval '12 hours'
    when '1d' then interval '24 hours'
end;

alter table market.candle drop constraint candle_instrument_id_fkey;
comment on column market.candle.instrument_id is
'Of market.instrument, by the key of ops.change_range when written; triggers keep it while there are candles.';

-- After the row is locked: a writer that holds it by that key has committed by then, and its candles are seen.
create function market.keep_instrument_with_candles() returns trigger
language plpgsql as $$
begin
    if exists (select from market.candle as c where c.instrument_id = old.instrument_id) then
        raise exception 'instrument % still has candles', old.instrument_id
            using errcode = 'foreign_key_violation', constraint = 'candle_instrument_id_fkey';
    end if;
    return null;
end
$$;

create function market.keep_instruments_with_candles() returns trigger
language plpgsql as $$
begin
    if exists (select from market.candle) then
        raise exception 'instruments still have candles'
            using errcode = 'foreign_key_violation', constraint = 'candle_instrument_id_fkey';
    end if;
    return null;
end
$$;

create trigger instrument_with_candles_is_kept after delete on market.instrument
for each row execute function market.keep_instrument_with_candles();
create trigger instruments_with_candles_are_kept before truncate on market.instrument
for each statement execute function market.keep_instruments_with_candles();
