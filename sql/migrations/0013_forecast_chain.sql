-- Sealed forecasts are chained: each row holds the SHA-256 of all it says and of the row before it in its series, so
-- that a change by somebody whom no trigger stops is found by computing again (docs/adr/0020-forecast-chain.md).
-- A series is (instrument_id, timeframe, horizon_bars); its rows are numbered 1, 2, 3 in the order they were sealed.

-- The length says where a value ends, whatever it holds. NULL is left out: a column that is added later, and NULL in
-- older rows, changes no hash.
create function ml.sealed_field(name text, value text) returns text
language sql immutable parallel safe
return case
    when value is null then ''
    else name || '=' || octet_length(convert_to(value, 'UTF8'))::text || ':' || value || chr(10)
end;
comment on function ml.sealed_field is 'One line of a sealed text: name=bytes:value; nothing for NULL.';

create function ml.sealed_time(at timestamptz) returns text
language sql immutable parallel safe
return (extract(epoch from at) * 1000000)::bigint::text;
comment on function ml.sealed_time is 'Microseconds since 1970-01-01 00:00 UTC.';

alter table ml.forecast
add column chain_position bigint,
add column previous_sha256 text,
add column row_sha256 text;
comment on column ml.forecast.chain_position is 'Place in the chain of its series, from 1, without gaps.';
comment on column ml.forecast.previous_sha256 is 'row_sha256 of the row before; 64 zeros for the first.';
comment on column ml.forecast.row_sha256 is 'SHA-256 (hex) of ml.sealed_text.';

-- include/forecasting/chain.py makes the same text on its own.
create function ml.sealed_text(f ml.forecast) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
    i market.instrument;
begin
    select * into i from market.instrument as m where m.instrument_id = f.instrument_id;
    return
        ml.sealed_field('venue', i.venue)
        || ml.sealed_field('symbol', i.symbol)
        || ml.sealed_field('forecast_id', f.forecast_id::text)
        || ml.sealed_field('instrument_id', f.instrument_id::text)
        || ml.sealed_field('timeframe', f.timeframe::text)
        || ml.sealed_field('horizon_bars', f.horizon_bars::text)
        || ml.sealed_field('as_of', ml.sealed_time(f.as_of))
        || ml.sealed_field('target_at', ml.sealed_time(f.target_at))
        || ml.sealed_field('made_at', ml.sealed_time(f.made_at))
        || ml.sealed_field('sealed_at', ml.sealed_time(f.sealed_at))
        || ml.sealed_field('as_of_price', trim_scale(f.as_of_price)::text)
        || ml.sealed_field('predicted_log_return', encode(float8send(f.predicted_log_return), 'hex'))
        || ml.sealed_field('predicted_price', trim_scale(f.predicted_price)::text)
        || ml.sealed_field('lower_price', trim_scale(f.lower_price)::text)
        || ml.sealed_field('upper_price', trim_scale(f.upper_price)::text)
        || ml.sealed_field('coverage', encode(float8send(f.coverage), 'hex'))
        || ml.sealed_field('model', f.model)
        || ml.sealed_field('model_version', f.model_version)
        || ml.sealed_field('is_naive', (f.model = 'naive')::text) -- generated, and not yet there before an insert
        || ml.sealed_field('chain_position', f.chain_position::text)
        || ml.sealed_field('previous_sha256', f.previous_sha256);
end
$$;
comment on function ml.sealed_text is 'What row_sha256 is the hash of: every column, and the hash before.';

create function ml.chain_forecast(f ml.forecast) returns ml.forecast
language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
    head record;
begin
    select p.chain_position, p.row_sha256 into head
    from ml.forecast as p
    where
        p.instrument_id = f.instrument_id and p.timeframe = f.timeframe and p.horizon_bars = f.horizon_bars
        and p.chain_position is not null
    order by p.chain_position desc
    limit 1;
    f.chain_position := coalesce(head.chain_position, 0) + 1;
    f.previous_sha256 := coalesce(head.row_sha256, repeat('0', 64));
    f.row_sha256 := encode(sha256(convert_to(ml.sealed_text(f), 'UTF8')), 'hex');
    return f;
end
$$;
comment on function ml.chain_forecast is 'The row as the next one of its series, whatever it said of its place.';

-- The position's key is what no fork passes; rows that are there are chained in the order they were inserted in.
alter table ml.forecast add constraint forecast_chain_has_one_head
unique (instrument_id, timeframe, horizon_bars, chain_position);
alter table ml.forecast disable trigger forecast_is_sealed;
do $$
declare
    old ml.forecast;
    chained ml.forecast;
begin
    for old in select * from ml.forecast order by forecast_id loop
        chained := ml.chain_forecast(old);
        update ml.forecast set
            chain_position = chained.chain_position,
            previous_sha256 = chained.previous_sha256,
            row_sha256 = chained.row_sha256
        where forecast_id = old.forecast_id;
    end loop;
end
$$;
alter table ml.forecast enable trigger forecast_is_sealed;
alter table ml.forecast
alter column chain_position set not null,
alter column previous_sha256 set not null,
alter column row_sha256 set not null,
add constraint forecast_chain_is_of_hashes check (
    chain_position > 0 and previous_sha256 ~ '^[0-9a-f]{64}$' and row_sha256 ~ '^[0-9a-f]{64}$'
);

-- Writers of one series take turns until they commit: the second sees the first's row and follows it. A writer whose
-- snapshot is older (repeatable read) does not see it, and is refused by the key instead of forking the chain.
create function ml.extend_chain() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(
        format('forecast chain %s %s %s', new.instrument_id, new.timeframe, new.horizon_bars), 0
    ));
    return ml.chain_forecast(new);
end
$$;

-- Triggers run by name: after forecast_in_time, which sets sealed_at.
create trigger forecast_is_chained before insert on ml.forecast
for each row execute function ml.extend_chain();
