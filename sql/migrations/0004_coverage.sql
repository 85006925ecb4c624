-- Law of completeness: what was answered (market.attestation), why an expected candle is not there (market.coverage),
-- what the repair did (ops.repair_step), and candles with their gaps filled for who wants that (public.ohlcv_filled).
-- Ranges hold open times, half-open [from, until), and begin and end on open times of their timeframe.

create type market.coverage_state as enum ('empty', 'outage', 'out_of_reach');

create function market.is_open_time(at timestamptz, timeframe market.timeframe) returns boolean
language sql immutable strict parallel safe
return date_bin(market.step(timeframe), at, timestamptz '1970-01-01 00:00:00+00') = at;

create function market.is_span(covers tstzrange, timeframe market.timeframe) returns boolean
language sql immutable parallel safe
return coalesce(
    not isempty(covers) and lower_inc(covers) and not upper_inc(covers)
    and market.is_open_time(lower(covers), timeframe) and market.is_open_time(upper(covers), timeframe),
    false
);
comment on function market.is_span is
'Whether a range is bounded, half-open, not empty and begins and ends on open times.';

create function market.candle_count(spans tstzmultirange, timeframe market.timeframe) returns bigint
language sql immutable parallel safe
return (
    select coalesce(sum(extract(epoch from upper(span) - lower(span))), 0)::bigint
    from unnest(spans) as span
) / extract(epoch from market.step(timeframe))::bigint;
comment on function market.candle_count is 'How many open times lie in spans.';

-- A range has an operator class for GiST of its own, so that no extension is needed to exclude overlaps per series.
create function market.series_key(instrument_id integer, timeframe market.timeframe) returns int8range
language sql immutable strict parallel safe
return int8range(
    instrument_id::bigint * 100000 + extract(epoch from market.step(timeframe))::bigint,
    instrument_id::bigint * 100000 + extract(epoch from market.step(timeframe))::bigint,
    '[]'
);
comment on function market.series_key is 'Instrument and timeframe as one value a GiST index can compare.';

create table market.attestation (
    attestation_id bigint generated always as identity primary key,
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    covers tstzrange not null check (market.is_span(covers, timeframe)),
    candle_count bigint not null check (candle_count >= 0),
    absent tstzmultirange not null,
    refused tstzmultirange not null,
    source text not null,
    request text not null,
    response_sha256 text not null check (response_sha256 ~ '^[0-9a-f]{64}$'),
    recorded_at timestamptz not null,
    unique (instrument_id, timeframe, covers, source, response_sha256),
    constraint attestation_adds_up check (
        absent <@ covers and refused <@ covers and not absent && refused
        and candle_count + market.candle_count(absent, timeframe) + market.candle_count(refused, timeframe)
        = market.candle_count(tstzmultirange(covers), timeframe)
    )
);
comment on table market.attestation is
'Answers of sources: for every open time of covers it had a candle, or none (absent), or a row we refused (refused).';
comment on column market.attestation.request is 'URL or file that was asked for.';
revoke update, delete on market.attestation from warehouse_writer;

create table market.coverage (
    coverage_id bigint generated always as identity primary key,
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    covers tstzrange not null check (market.is_span(covers, timeframe)),
    state market.coverage_state not null,
    reason text not null check (reason <> ''),
    attestation_id bigint references market.attestation,
    recorded_at timestamptz not null,
    constraint coverage_has_evidence check (state = 'out_of_reach' or attestation_id is not null),
    constraint coverage_is_disjoint exclude using gist (
        market.series_key(instrument_id, timeframe) with =, covers with &&
    )
);
comment on table market.coverage is 'Why an expected candle is not there; ranges of a series never overlap.';
comment on column market.coverage.attestation_id is 'The answer that lacked it.';
comment on column market.coverage.recorded_at is 'When that became known.';

create function market.observed(instrument integer, series market.timeframe, within tstzrange) returns tstzmultirange
language sql stable parallel safe
return (
    select coalesce(range_agg(tstzrange(island.starts_at, island.ends_at)), '{}')
    from (
        select
            min(placed.opened_at) as starts_at,
            max(placed.opened_at) + market.step($2) as ends_at
        from (
            select
                c.opened_at,
                c.opened_at - row_number() over (order by c.opened_at) * market.step($2) as place
            from market.candle as c
            where
                c.instrument_id = $1 and c.timeframe = $2
                and c.opened_at >= coalesce(lower($3), '-infinity')
                and c.opened_at < coalesce(upper($3), 'infinity')
        ) as placed
        group by placed.place
    ) as island
);
comment on function market.observed is
'Open times of a series that the table holds, as spans; within: null bounds for all.';

create function market.archived(instrument integer, series market.timeframe) returns tstzmultirange
language sql stable parallel safe
return (
    select coalesce(range_agg(tstzrange(m.first_opened_at, m.last_opened_at + market.step(m.timeframe))), '{}')
    from ops.archive_manifest as m
    where m.instrument_id = $1 and m.timeframe = $2 and m.dropped_at is not null
);
comment on function market.archived is
'From the first to the last candle of each month that left the table for the archive, as spans.';

create function market.answered(instrument integer, series market.timeframe, within tstzmultirange)
returns tstzmultirange
language sql stable parallel safe
return (
    select coalesce(range_agg(held.span), '{}')
    from market.attestation as a
    cross join lateral unnest(tstzmultirange(a.covers) * $3 - a.absent - a.refused) as held (span)
    where a.instrument_id = $1 and a.timeframe = $2 and a.covers && $3
);
comment on function market.answered is 'Open times within spans for which an answer once had a candle.';

create view market.series as
select
    i.instrument_id,
    i.venue,
    i.symbol,
    t.timeframe
from market.instrument as i
cross join unnest(enum_range(null::market.timeframe)) as t (timeframe)
where
    exists (
        select from market.candle as c
        where c.instrument_id = i.instrument_id and c.timeframe = t.timeframe
    )
    or exists (
        select from market.attestation as a
        where a.instrument_id = i.instrument_id and a.timeframe = t.timeframe
    )
    or exists (
        select from market.coverage as k
        where k.instrument_id = i.instrument_id and k.timeframe = t.timeframe
    )
    or exists (
        select from ops.archive_manifest as m
        where m.instrument_id = i.instrument_id and m.timeframe = t.timeframe and m.dropped_at is not null
    );
comment on view market.series is
'Instruments and timeframes of which anything is known: a candle, an answer or a reason.';

create view market.coverage_ledger as
select
    s.instrument_id,
    s.venue,
    s.symbol,
    s.timeframe,
    known.state,
    span.covers,
    market.candle_count(tstzmultirange(span.covers), s.timeframe) as candles
from market.series as s
cross join
    lateral (
        select
            market.observed(s.instrument_id, s.timeframe, tstzrange(null, null)) as observed,
            market.archived(s.instrument_id, s.timeframe) as archived,
            coalesce(range_agg(k.covers) filter (where k.state = 'empty'), '{}') as empty,
            coalesce(range_agg(k.covers) filter (where k.state = 'outage'), '{}') as outage,
            coalesce(range_agg(k.covers) filter (where k.state = 'out_of_reach'), '{}') as out_of_reach
        from market.coverage as k
        where k.instrument_id = s.instrument_id and k.timeframe = s.timeframe
    ) as facts
cross join
    lateral (
        values
        ('observed', facts.observed),
        ('archived', facts.archived - facts.observed - facts.empty - facts.outage - facts.out_of_reach),
        ('empty', facts.empty - facts.observed),
        ('outage', facts.outage - facts.observed),
        ('out_of_reach', facts.out_of_reach - facts.observed)
    ) as known (state, spans)
cross join lateral unnest(known.spans) as span (covers);
comment on view market.coverage_ledger is
'All that is known of each open time of a series: in the table, in the archive only, or why not at all.';

create table ops.repair_step (
    repair_step_id bigint generated always as identity primary key,
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    purpose text not null check (purpose in ('unknown', 'settle', 'audit')),
    reason text not null,
    covers tstzrange not null check (market.is_span(covers, timeframe)),
    requests integer not null check (requests >= 0),
    outcome text not null check (outcome in ('done', 'failed', 'skipped')),
    rows_new bigint not null default 0,
    rows_changed bigint not null default 0,
    explanation text not null,
    recorded_at timestamptz not null
);
create index repair_step_series on ops.repair_step (instrument_id, timeframe, purpose, recorded_at);
comment on table ops.repair_step is 'What each repair did and why; requests: as planned.';
revoke update, delete on ops.repair_step from warehouse_writer;

create view public.ohlcv_filled as
select
    o.venue,
    o.symbol,
    o.timeframe,
    o.opened_at,
    o.open,
    o.high,
    o.low,
    o.close,
    o.volume,
    o.quote_volume,
    o.trade_count,
    false as is_filled,
    o.world
from public.ohlcv as o
union all
select
    i.venue,
    i.symbol,
    t.timeframe,
    filled.opened_at,
    neighbours.close as open,
    neighbours.close as high,
    neighbours.close as low,
    neighbours.close,
    0,
    0,
    0,
    true,
    (select w.world from ops.world as w)
from market.instrument as i
cross join unnest(enum_range(null::market.timeframe)) as t (timeframe)
cross join
    lateral (
        select
            c.opened_at,
            c.close,
            lead(c.opened_at) over (order by c.opened_at) as next_opened_at
        from market.candle as c
        where c.instrument_id = i.instrument_id and c.timeframe = t.timeframe
    ) as neighbours
cross join
    lateral generate_series(
        neighbours.opened_at + market.step(t.timeframe),
        neighbours.next_opened_at - market.step(t.timeframe),
        market.step(t.timeframe)
    ) as filled (opened_at)
where
    neighbours.next_opened_at > neighbours.opened_at + market.step(t.timeframe)
    and not exists (
        select from ops.archive_manifest as m
        where
            m.instrument_id = i.instrument_id and m.timeframe = t.timeframe and m.dropped_at is not null
            and m.month = date_trunc('month', filled.opened_at at time zone 'UTC')::date
    );
comment on view public.ohlcv_filled is
'Candles with gaps between them filled from the close before (is_filled); key (venue, symbol, timeframe, opened_at).';
