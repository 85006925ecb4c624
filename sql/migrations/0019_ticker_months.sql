-- market.ticker by month, so that an archived month leaves as a whole: nothing to delete by rows, nothing to vacuum.
-- Rows, keys, checks, grants, comments and the view stay what they were. And the version of an archive file's schema.

alter table market.ticker rename to ticker_before_months;
alter index market.ticker_pkey rename to ticker_before_months_pkey;

-- Names are given: those that would be made up are still the old table's.
create table market.ticker (
    instrument_id integer not null constraint ticker_instrument_id_fkey references market.instrument,
    observed_at timestamptz not null,
    recorded_at timestamptz not null,
    last numeric not null constraint ticker_last_check check (last > 0 and last < 'Infinity'),
    bid numeric constraint ticker_bid_check check (bid >= 0 and bid < 'Infinity'),
    ask numeric constraint ticker_ask_check check (ask >= 0 and ask < 'Infinity'),
    open_24h numeric constraint ticker_open_24h_check check (open_24h >= 0 and open_24h < 'Infinity'),
    high_24h numeric constraint ticker_high_24h_check check (high_24h >= 0 and high_24h < 'Infinity'),
    low_24h numeric constraint ticker_low_24h_check check (low_24h >= 0 and low_24h < 'Infinity'),
    base_volume_24h numeric
    constraint ticker_base_volume_24h_check check (base_volume_24h >= 0 and base_volume_24h < 'Infinity'),
    quote_volume_24h numeric
    constraint ticker_quote_volume_24h_check check (quote_volume_24h >= 0 and quote_volume_24h < 'Infinity'),
    change_percent_24h numeric
    constraint ticker_change_percent_24h_check check (change_percent_24h >= -100 and change_percent_24h < 'Infinity'),
    trade_count_24h bigint constraint ticker_trade_count_24h_check check (trade_count_24h >= 0),
    source text not null,
    constraint ticker_pkey primary key (instrument_id, observed_at)
) partition by range (observed_at);
comment on table market.ticker is
'Spot snapshots; observed_at is the venue''s time of the answer. A partition per month (UTC), made when first needed.';

-- What was granted to whom, by later hands too.
do $$
declare
    granted record;
begin
    for granted in
        select a.privilege_type, a.grantee::regrole as role
        from pg_class as c
        cross join aclexplode(c.relacl) as a
        where c.oid = 'market.ticker_before_months'::regclass and a.grantee <> c.relowner and a.grantee <> 0
    loop
        execute format('grant %s on market.ticker to %s', granted.privilege_type, granted.role);
    end loop;
end
$$;

-- Run with the owner's rights: who loads tickers owns no table. Attached, not created as a partition: that would lock
-- out the readers of all months.
create function market.add_ticker_month(of_month date) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    partition_name text := 'ticker_' || to_char(of_month, 'YYYY_MM');
begin
    if extract(day from of_month) <> 1 then
        raise exception 'a month is named by its first day, not %', of_month using errcode = 'invalid_parameter_value';
    end if;
    if to_regclass('market.' || partition_name) is not null then
        return false;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('market.ticker', 0));
    if to_regclass('market.' || partition_name) is not null then
        return false;
    end if;
    execute format(
        'create table market.%I (like market.ticker including defaults including constraints)', partition_name
    );
    execute format(
        'alter table market.ticker attach partition market.%I for values from (%L) to (%L)',
        partition_name, of_month::timestamp at time zone 'UTC', (of_month + interval '1 month') at time zone 'UTC'
    );
    return true;
end
$$;
comment on function market.add_ticker_month is
'Makes the partition of a month (its first day, UTC) where there is none; true where it made one.';

select market.add_ticker_month(m.month)
from (
    select distinct date_trunc('month', observed_at at time zone 'UTC')::date as month
    from market.ticker_before_months
) as m
order by m.month;
insert into market.ticker (
    instrument_id, observed_at, recorded_at, last, bid, ask, open_24h, high_24h, low_24h, base_volume_24h,
    quote_volume_24h, change_percent_24h, trade_count_24h, source
)
select
    instrument_id, observed_at, recorded_at, last, bid, ask, open_24h, high_24h, low_24h, base_volume_24h,
    quote_volume_24h, change_percent_24h, trade_count_24h, source
from market.ticker_before_months;

create or replace view public.ticker_snapshots as
select
    i.venue,
    i.symbol,
    t.observed_at,
    t.last,
    t.bid,
    t.ask,
    t.open_24h,
    t.high_24h,
    t.low_24h,
    t.base_volume_24h,
    t.quote_volume_24h,
    t.change_percent_24h,
    t.trade_count_24h,
    t.source,
    (select w.world from ops.world as w) as world
from market.ticker as t
inner join market.instrument as i using (instrument_id);

drop table market.ticker_before_months;

-- The archive's account of months -----------------------------------------------------------------------------------

alter table ops.archive_manifest add column schema_version integer not null default 1;
comment on column ops.archive_manifest.schema_version is
'How the file is to be read; 1 is what was written before this was noted.';

create table ops.ticker_manifest (
    instrument_id integer not null references market.instrument,
    month date not null check (extract(day from month) = 1),
    path text not null,
    row_count bigint not null check (row_count > 0),
    first_observed_at timestamptz not null,
    last_observed_at timestamptz not null,
    file_sha256 text not null,
    content_sha256 text not null,
    archived_at timestamptz not null,
    dropped_at timestamptz,
    schema_version integer not null,
    primary key (instrument_id, month)
);
comment on table ops.ticker_manifest is
'Months of tickers that exist as verified Parquet; dropped_at where the table no longer holds them.';

create function market.iso_time(given timestamptz) returns text
language sql stable parallel safe
return to_char(
    given at time zone 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS' || case when date_trunc('second', given) = given then '' else '.US' end || '"+00:00"'
);
comment on function market.iso_time is 'A time in UTC as Python''s isoformat() writes it.';

-- A line per row as include/warehouse/archive_file.py writes it: values joined by |, NULL as nothing, decimals without
-- trailing zeros.
create function market.ticker_month_hashes(of_month date)
returns table (instrument_id integer, row_count bigint, content_sha256 text)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select
        t.instrument_id,
        count(*) as row_count,
        encode(sha256(convert_to(string_agg(concat(
            market.iso_time(t.observed_at), '|', trim_scale(t.last), '|', trim_scale(t.bid), '|', trim_scale(t.ask),
            '|', trim_scale(t.open_24h), '|', trim_scale(t.high_24h), '|', trim_scale(t.low_24h), '|',
            trim_scale(t.base_volume_24h), '|', trim_scale(t.quote_volume_24h), '|',
            trim_scale(t.change_percent_24h), '|', t.trade_count_24h, '|', t.source, '|',
            market.iso_time(t.recorded_at), chr(10)
        ), '' order by t.observed_at), 'UTF8')), 'hex') as content_sha256
    from market.ticker as t
    where
        t.observed_at >= of_month::timestamp at time zone 'UTC'
        and t.observed_at < (of_month + interval '1 month') at time zone 'UTC'
    group by t.instrument_id
$$;
comment on function market.ticker_month_hashes is
'Rows and SHA-256 of each instrument''s tickers in a month, as its archive file''s content is hashed.';

-- The one way for who loads to remove tickers as a whole: only what the manifests prove, to the last value.
-- Others read on while it compares; the short lock that takes the partition out gives up rather than make them queue.
create function market.drop_ticker_month(of_month date, left_at timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
    partition_name text := 'ticker_' || to_char(of_month, 'YYYY_MM');
    unproven integer[];
    dropped bigint;
begin
    if extract(day from of_month) <> 1 then
        raise exception 'a month is named by its first day, not %', of_month using errcode = 'invalid_parameter_value';
    end if;
    if to_regclass('market.' || partition_name) is null then
        return 0;
    end if;
    execute format('lock table market.%I in share row exclusive mode', partition_name);
    select array_agg(h.instrument_id order by h.instrument_id)
    into unproven
    from market.ticker_month_hashes(of_month) as h
    where not exists (
        select from ops.ticker_manifest as m
        where
            m.instrument_id = h.instrument_id and m.month = of_month
            and m.row_count = h.row_count and m.content_sha256 = h.content_sha256
    );
    if unproven is not null then
        raise exception 'tickers of % stay: no manifest promises what the table holds of instruments %',
            to_char(of_month, 'YYYY-MM'), array_to_string(unproven, ', ')
            using errcode = 'integrity_constraint_violation';
    end if;
    update ops.ticker_manifest as m
    set dropped_at = left_at
    from (
        select t.instrument_id from market.ticker as t
        where
            t.observed_at >= of_month::timestamp at time zone 'UTC'
            and t.observed_at < (of_month + interval '1 month') at time zone 'UTC'
        group by t.instrument_id
    ) as held
    where m.instrument_id = held.instrument_id and m.month = of_month;
    execute format('select count(*) from market.%I', partition_name) into dropped;
    execute format('alter table market.ticker detach partition market.%I', partition_name);
    execute format('drop table market.%I', partition_name);
    return dropped;
end
$$;
comment on function market.drop_ticker_month is
'Detaches and drops a month whose every row an archive manifest promises; answers how many tickers left the table.';

revoke execute on function market.add_ticker_month, market.drop_ticker_month from public;
grant execute on function market.add_ticker_month, market.drop_ticker_month to warehouse_writer;
