-- Market transforms: flags of implausible candles, the hour's mean price, the day's ranking and volume, price alerts.
-- All but the alerts are functions of the candles alone and may be thrown away; columns are explained in
-- docs/reference/transforms.md. Rights follow from the defaults of the schema mart (0001).

create table mart.definition (
    subject text primary key,
    sha256 text not null,
    recorded_at timestamptz not null
);
comment on table mart.definition is
'What a subject''s rows were computed by; another digest means: compute afresh.';
comment on column mart.definition.subject is 'A coin, or `ranking` for mart.daily_ranking.';

create table mart.candle_flag (
    instrument_id integer not null references market.instrument,
    timeframe market.timeframe not null,
    opened_at timestamptz not null,
    rule text not null check (rule in ('null_figure', 'repeated', 'price_spike', 'off_market')),
    evidence jsonb not null,
    recorded_at timestamptz not null,
    primary key (instrument_id, timeframe, opened_at, rule)
);
comment on table mart.candle_flag is
'Candles that a cleaning rule finds implausible, by what was known when they closed; the candles stay as they are.';

create table mart.hourly_price (
    crypto text not null,
    quote text not null,
    hour_at timestamptz not null,
    mean_price numeric,
    lowest numeric,
    highest numeric,
    venues integer not null,
    flagged integer not null,
    method text,
    recorded_at timestamptz not null,
    primary key (crypto, quote, hour_at)
);
comment on table mart.hourly_price is
'Mean price of a coin''s hour over the venues of one quote, flagged candles aside.';
comment on column mart.hourly_price.hour_at is 'Start of the hour.';
comment on column mart.hourly_price.mean_price is
'Mean of the venues'' mean prices; NULL where every candle is flagged.';
comment on column mart.hourly_price.venues is 'How many venues it is the mean of.';
comment on column mart.hourly_price.flagged is
'Candles of the hour left out for a flag that speaks against their price.';
comment on column mart.hourly_price.method is
'What a venue''s mean price is: its vwap, quote by base volume, the mean of open, high, low and close, or mixed.';

create table mart.daily_volume (
    day date not null,
    crypto text not null,
    quote text not null,
    base_volume numeric not null,
    quote_volume numeric,
    trade_count bigint,
    hours_observed integer not null,
    venues integer not null,
    candles integer not null,
    candles_with_quote_volume integer not null,
    candles_with_trade_count integer not null,
    repeated integer not null,
    recorded_at timestamptz not null,
    primary key (day, crypto, quote)
);
comment on table mart.daily_volume is 'Traded on a UTC day, over all venues of one quote; from candles of one hour.';
comment on column mart.daily_volume.quote_volume is 'Of the candles that publish it (candles_with_quote_volume).';
comment on column mart.daily_volume.trade_count is 'Of the candles that publish it (candles_with_trade_count).';
comment on column mart.daily_volume.hours_observed is 'Hours of the 24 with a candle of any venue.';
comment on column mart.daily_volume.repeated is 'Candles left out because they repeat the one before.';

create table mart.daily_ranking (
    day date not null,
    crypto text not null,
    rank integer,
    change_percent numeric,
    close numeric,
    close_before numeric,
    instrument_id integer not null references market.instrument,
    universe_size integer not null,
    reason text check (
        reason in ('no_close', 'no_close_before', 'flagged_close', 'flagged_close_before')
    ),
    recorded_at timestamptz not null,
    primary key (day, crypto),
    check (num_nulls(rank, reason) = 1),
    check (num_nulls(rank, change_percent) in (0, 2))
);
comment on table mart.daily_ranking is
'Coins of a UTC day''s universe (listed that day) by performance over its 24 hours; 1 is best, ties share a rank.';
comment on column mart.daily_ranking.instrument_id is 'The market that spoke for the coin that day.';
comment on column mart.daily_ranking.reason is 'Why the coin has no rank.';

create table mart.price_alert (
    instrument_id integer not null references market.instrument,
    direction text not null check (direction in ('up', 'down')),
    triggered_at timestamptz not null,
    crypto text not null,
    change_percent numeric not null,
    price numeric not null,
    price_before numeric not null,
    threshold_percent numeric not null check (threshold_percent > 0),
    change_window interval not null,
    known_at timestamptz not null,
    notification text check (notification in ('sent', 'historic', 'other_market')),
    notified_at timestamptz,
    retracted_at timestamptz,
    retracted_because text check (retracted_because in ('candles', 'definition')),
    retraction_notification text check (retraction_notification in ('sent', 'definition')),
    retraction_notified_at timestamptz,
    history jsonb not null default '[]',
    primary key (instrument_id, direction, triggered_at),
    check ((notification is not distinct from 'sent') = (notified_at is not null)),
    check (num_nulls(retracted_at, retracted_because) in (0, 2)),
    check ((retraction_notification is not distinct from 'sent') = (retraction_notified_at is not null)),
    check (retraction_notification is null or retracted_at is not null)
);
comment on table mart.price_alert is
'Crossings of the threshold by a market''s change over the window, one row each; what was wrong is retracted, never
deleted.';
comment on column mart.price_alert.triggered_at is 'Close time of the candle that crossed.';
comment on column mart.price_alert.known_at is 'When we came to know the present figures.';
comment on column mart.price_alert.notification is
'sent; historic: known too late to be sent; other_market: another market speaks for the coin; NULL: to be sent.';
comment on column mart.price_alert.retracted_at is
'Since when we know that the candles do not say so; NULL: it stands.';
comment on column mart.price_alert.retraction_notification is
'sent; definition: the rules changed, not the market, and nobody is told; NULL: none was needed, or it is to be sent.';
comment on column mart.price_alert.history is 'What the row said before it was corrected or stood again, oldest first.';
revoke delete on mart.price_alert from warehouse_writer;

-- The market that speaks for a coin at an open time is that of the day's ranking.
create view mart.speaking_alert as
select
    a.instrument_id,
    a.direction,
    a.triggered_at
from mart.price_alert as a
inner join mart.daily_ranking as r
    on
        a.crypto = r.crypto
        and a.instrument_id = r.instrument_id
        and ((a.triggered_at - interval '1 hour') at time zone 'UTC')::date = r.day;
comment on view mart.speaking_alert is 'Keys of the alerts of the market that spoke for its coin on the day.';

-- One row; what the DAG's last task checks. Bounded to the last 40 days that have prices, so that it stays cheap.
create view mart.audit as
with recent as materialized (
    select
        coalesce(max(h.hour_at), '-infinity') - interval '40 days' as since,
        max(h.hour_at) as newest_hour
    from mart.hourly_price as h
),

-- Candles that arrived since the last run are no fault: what they change is still pending.
pending as materialized (
    select
        r.instrument_id,
        r.starts_at,
        r.ends_at
    from ops.change_range as r
    where
        r.dataset = 'candle' and r.timeframe = '1h'
        and not exists (
            select from ops.change_receipt as t
            where t.change_id = r.change_id and t.consumer = 'transforms'
        )
),

candle as materialized (
    select
        i.base as crypto,
        i.quote,
        c.opened_at,
        late.is_pending
    from market.instrument as i
    inner join market.candle as c using (instrument_id)
    cross join
        lateral (
            select count(*) > 0 as is_pending
            from pending as p
            where p.instrument_id = c.instrument_id and p.starts_at <= c.opened_at and p.ends_at > c.opened_at
        ) as late
    where c.timeframe = '1h' and c.opened_at >= (select r.since from recent as r)
),

held as (
    select
        count(*) as most_hours,
        count(*) filter (where not h.is_pending) as least_hours,
        max(h.opened_at) filter (where not h.is_pending) as newest_hour
    from (
        select
            c.opened_at,
            bool_and(c.is_pending) as is_pending
        from candle as c
        group by c.crypto, c.quote, c.opened_at
    ) as h
),

held_on_days as (
    select
        count(*) as most_candles,
        count(*) filter (where not c.is_pending) as least_candles
    from candle as c
    where
        c.opened_at >= (
            select ((r.since at time zone 'UTC')::date + 1)::timestamp at time zone 'UTC'
            from recent as r
        )
),

priced as (
    select
        count(*) as hours,
        count(*) filter (where h.mean_price not between h.lowest and h.highest) as means_out_of_range,
        count(*) filter (where (h.mean_price is null) <> (h.venues = 0)) as means_without_venue
    from mart.hourly_price as h
    where h.hour_at >= (select r.since from recent as r)
),

traded as (
    select
        count(*) filter (where v.hours_observed not between 1 and 24) as days_with_impossible_hours,
        count(*) filter (where v.base_volume < 0 or v.quote_volume < 0) as negative_volumes,
        sum(v.candles + v.repeated) as candles
    from mart.daily_volume as v
    where v.day >= (select (r.since at time zone 'UTC')::date + 1 from recent as r)
),

ranked as (
    select
        count(*) filter (where k.rank not between 1 and k.universe_size) as ranks_out_of_range,
        count(*) filter (where k.universe_size <> k.coins) as wrong_universe_sizes,
        count(*) filter (where k.rank = 1) as winners,
        count(distinct k.day) filter (where k.rank is not null) as ranked_days
    from (
        select
            d.day,
            d.rank,
            d.universe_size,
            count(*) over (partition by d.day) as coins
        from mart.daily_ranking as d
        where d.day >= (select (r.since at time zone 'UTC')::date from recent as r)
    ) as k
),

alerted as (
    select
        count(*) filter (where abs(a.change_percent) < a.threshold_percent) as alerts_below_threshold,
        count(*) filter (where (a.change_percent > 0) <> (a.direction = 'up')) as alerts_in_wrong_direction
    from mart.price_alert as a
    where a.retracted_at is null
)

select
    priced.means_out_of_range,
    priced.means_without_venue,
    traded.days_with_impossible_hours,
    traded.negative_volumes,
    ranked.ranks_out_of_range,
    ranked.wrong_universe_sizes,
    alerted.alerts_below_threshold,
    alerted.alerts_in_wrong_direction,
    abs(ranked.ranked_days - least(ranked.winners, ranked.ranked_days)) as ranked_days_without_winner,
    greatest(priced.hours - held.most_hours, held.least_hours - priced.hours, 0) as hours_unlike_candles,
    greatest(
        coalesce(traded.candles, 0) - held_on_days.most_candles,
        held_on_days.least_candles - coalesce(traded.candles, 0),
        0
    ) as volumes_unlike_candles,
    greatest(
        held.newest_hour - (select r.newest_hour from recent as r), interval '0'
    ) as behind_the_candles
from priced, traded, ranked, alerted, held, held_on_days;
comment on view mart.audit is 'Rows of mart that break a rule, counted; everything is 0 in a sound warehouse.';

-- public: what consumers read; names and keys stay ------------------------------------------------------------------

create view public.candle_flags as
select
    i.venue,
    i.symbol,
    f.timeframe,
    f.opened_at,
    f.rule,
    f.evidence,
    f.recorded_at,
    (select w.world from ops.world as w) as world
from mart.candle_flag as f
inner join market.instrument as i using (instrument_id);
comment on view public.candle_flags is
'Candles a cleaning rule finds implausible; key (venue, symbol, timeframe, opened_at, rule).';

create view public.hourly_prices as
select
    h.crypto,
    h.quote,
    h.hour_at,
    h.mean_price,
    h.lowest,
    h.highest,
    h.venues,
    h.flagged,
    h.method,
    (select w.world from ops.world as w) as world
from mart.hourly_price as h;
comment on view public.hourly_prices is 'Mean price of each hour over the venues; key (crypto, quote, hour_at).';

create view public.daily_volumes as
select
    v.day,
    v.crypto,
    v.quote,
    v.base_volume,
    v.quote_volume,
    v.trade_count,
    v.hours_observed,
    v.venues,
    v.candles,
    v.candles_with_quote_volume,
    v.candles_with_trade_count,
    v.repeated,
    (select w.world from ops.world as w) as world
from mart.daily_volume as v;
comment on view public.daily_volumes is 'Traded volume of each UTC day; key (day, crypto, quote).';

create view public.daily_rankings as
select
    r.day,
    r.crypto,
    r.rank,
    r.change_percent,
    r.close,
    r.close_before,
    r.universe_size,
    r.reason,
    i.venue,
    i.symbol,
    (select w.world from ops.world as w) as world
from mart.daily_ranking as r
inner join market.instrument as i using (instrument_id);
comment on view public.daily_rankings is
'Coins by 24 h performance among those listed that UTC day; key (day, crypto).';

create view public.price_alerts as
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
    i.venue,
    i.symbol,
    (select w.world from ops.world as w) as world
from mart.price_alert as a
inner join market.instrument as i using (instrument_id)
where
    a.notification = 'sent'
    or (
        a.retracted_at is null
        and exists (
            select from mart.speaking_alert as s
            where
                s.instrument_id = a.instrument_id
                and s.direction = a.direction
                and s.triggered_at = a.triggered_at
        )
    );
comment on view public.price_alerts is
'Alerts that stand, of the market that spoke for the coin, and all that were sent, with retracted_at where taken back;
key (crypto, venue, symbol, direction, triggered_at).';
