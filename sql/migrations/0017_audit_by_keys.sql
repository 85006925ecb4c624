-- One row; what the DAG's last task checks. Bounded to the last 40 days that have prices, and read by the primary keys,
-- so that it stays cheap: an open range whose start a subquery gives is guessed to hold a third of a table, one that
-- ends (at infinity) half a percent.
create or replace view mart.audit as
with pair as materialized (
    select distinct
        i.base as crypto,
        i.quote
    from market.instrument as i
),

recent as materialized (
    select
        coalesce(max(newest.hour_at), '-infinity') - interval '40 days' as since,
        max(newest.hour_at) as newest_hour
    from pair as p
    cross join
        lateral (
            select max(h.hour_at) as hour_at
            from mart.hourly_price as h
            where h.crypto = p.crypto and h.quote = p.quote
        ) as newest
),

-- Candles that arrived since the last run are no fault: what they change is still pending.
pending as materialized (
    select
        r.instrument_id,
        range_agg(tstzrange(r.starts_at, r.ends_at)) as hours
    from ops.change_range as r
    where
        r.dataset = 'candle' and r.timeframe = '1h' and r.ends_at > (select n.since from recent as n)
        and not exists (
            select from ops.change_receipt as t
            where t.change_id = r.change_id and t.consumer = 'transforms'
        )
    group by r.instrument_id
),

candle as materialized (
    select
        i.base as crypto,
        i.quote,
        c.opened_at,
        coalesce(p.hours @> c.opened_at, false) as is_pending
    from market.instrument as i
    cross join
        lateral (
            select k.opened_at
            from market.candle as k
            where
                k.instrument_id = i.instrument_id and k.timeframe = '1h'
                and k.opened_at between (select r.since from recent as r) and 'infinity'
            order by k.opened_at
        ) as c
    left join pending as p on i.instrument_id = p.instrument_id
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
    from pair as p
    inner join mart.hourly_price as h
        on
            p.crypto = h.crypto
            and p.quote = h.quote
            and h.hour_at between (select r.since from recent as r) and 'infinity'
),

traded as (
    select
        count(*) filter (where v.hours_observed not between 1 and 24) as days_with_impossible_hours,
        count(*) filter (where v.base_volume < 0 or v.quote_volume < 0) as negative_volumes,
        sum(v.candles + v.repeated) as candles
    from mart.daily_volume as v
    where v.day between (select (r.since at time zone 'UTC')::date + 1 from recent as r) and 'infinity'
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
        where d.day between (select (r.since at time zone 'UTC')::date from recent as r) and 'infinity'
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
