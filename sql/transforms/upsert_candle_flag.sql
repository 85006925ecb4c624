-- Brings mart.candle_flag in line with the candles of a coin and timeframe in [starts_at, ends_at).
-- A flag is a function of the candle, of earlier candles of its market and of the other venues' candles of the same
-- open time; never of a later one. A repeat writes nothing; a flag that is no longer true goes.
-- null_figure: a figure is NULL that one of the market's usual_bars open times before has.
-- repeated: every figure is that of the candle one step before, although there was trade.
-- price_spike: high or low is wick_factor away from open and close; or the close is jump_factor above, or below, both
--   closes one and two steps before (beside one alone, the return from a spike would be a spike).
-- off_market: the close is off_percent away from the median of the closes of least_venues other venues or more.
-- Keys: instrument_id, timeframe, opened_at, rule. Names: figures (the columns of null_figure). Parameters: crypto,
-- timeframe, starts_at, ends_at, recorded_at, usual_bars (2 or more), wick_factor, jump_factor, off_percent,
-- least_venues, dollars (quotes that are compared). Answers one row: new, changed, removed.
{% from 'transforms/merge.jinja' import merge -%}
with placed as (
    select
        c.*,
        i.venue,
        i.quote,
        lag(c.opened_at) over series as before_at,
        lag(c.opened_at, 2) over series as second_before_at,
        lag(c.close) over series as close_before,
        lag(c.close, 2) over series as second_close_before,
        lag((
            c.open, c.high, c.low, c.close, c.base_volume, c.quote_volume, c.trade_count, c.vwap,
            c.taker_buy_base_volume, c.taker_buy_quote_volume
        )) over series as before
        {%- for figure in figures %},
        max(c.opened_at) filter (where c.{{ figure }} is not null) over earlier as last_{{ figure }}_at
        {%- endfor %}
    from market.instrument as i
    inner join market.candle as c using (instrument_id)
    where
        i.base = %(crypto)s
        and c.timeframe = %(timeframe)s::market.timeframe
        and c.opened_at
        >= %(starts_at)s::timestamptz - %(usual_bars)s::integer * market.step(%(timeframe)s::market.timeframe)
        and c.opened_at < %(ends_at)s::timestamptz
    window
        series as (partition by c.instrument_id order by c.opened_at),
        earlier as (
            partition by c.instrument_id order by c.opened_at rows between unbounded preceding and 1 preceding
        )
),

candle as materialized (
    select
        p.*,
        coalesce(p.before_at = p.opened_at - market.step(p.timeframe), false) as follows,
        coalesce(p.second_before_at = p.opened_at - 2 * market.step(p.timeframe), false) as follows_two,
        array_remove(array[
            {%- for figure in figures %}
            case
                when
                    p.{{ figure }} is null
                    and p.last_{{ figure }}_at
                    >= p.opened_at - %(usual_bars)s::integer * market.step(p.timeframe)
                    then '{{ figure }}'
            end
            {{- "," if not loop.last }}
            {%- endfor %}
        ], null) as lacking,
        greatest(p.open, p.close) as body_top,
        least(p.open, p.close) as body_bottom
    from placed as p
    where p.opened_at >= %(starts_at)s::timestamptz
),

spike as (
    select
        c.instrument_id,
        c.opened_at,
        case
            when
                c.high > %(wick_factor)s::numeric * c.body_top
                or c.low * %(wick_factor)s::numeric < c.body_bottom
                then round(greatest(c.high / c.body_top, c.body_bottom / c.low), 4)
        end as wick_ratio,
        case
            when
                c.follows_two
                and (
                    c.close > %(jump_factor)s::numeric * greatest(c.close_before, c.second_close_before)
                    or c.close * %(jump_factor)s::numeric < least(c.close_before, c.second_close_before)
                )
                then round(c.close / c.close_before, 4)
        end as jump_ratio
    from candle as c
),

-- The venues of an open time side by side, so that each is compared without a join of candles with candles.
together as (
    select
        c.opened_at,
        array_agg(c.instrument_id) as instrument_ids,
        array_agg(c.venue) as venues,
        array_agg(c.close) as closes
    from candle as c
    where c.quote = any(%(dollars)s::text[])
    group by c.opened_at
    having count(distinct c.venue) > %(least_venues)s::integer
),

apart as (
    select
        mine.instrument_id,
        t.opened_at,
        mine.close,
        others.median,
        others.venues
    from together as t
    cross join lateral unnest(t.instrument_ids, t.venues, t.closes) as mine (instrument_id, venue, close)
    cross join
        lateral (
            select
                count(distinct other.venue) as venues,
                (
                    percentile_disc(0.5) within group (order by other.close)
                    + percentile_disc(0.5) within group (order by other.close desc)
                ) * 0.5 as median
            from unnest(t.venues, t.closes) as other (venue, close)
            where other.venue <> mine.venue
        ) as others
    where
        others.venues >= %(least_venues)s::integer
        and abs(mine.close - others.median) * 100 > %(off_percent)s::numeric * others.median
),

flagged as (
    select
        c.instrument_id,
        c.opened_at,
        'null_figure' as rule,
        jsonb_build_object('figures', c.lacking) as evidence
    from candle as c
    where c.lacking <> '{}'
    union all
    select
        c.instrument_id,
        c.opened_at,
        'repeated' as rule,
        jsonb_build_object('base_volume', trim_scale(c.base_volume)) as evidence
    from candle as c
    where
        c.follows
        and c.base_volume > 0
        and c.before is not distinct from (
            c.open, c.high, c.low, c.close, c.base_volume, c.quote_volume, c.trade_count, c.vwap,
            c.taker_buy_base_volume, c.taker_buy_quote_volume
        )
    union all
    select
        s.instrument_id,
        s.opened_at,
        'price_spike' as rule,
        jsonb_strip_nulls(jsonb_build_object('wick_ratio', s.wick_ratio, 'jump_ratio', s.jump_ratio)) as evidence
    from spike as s
    where num_nonnulls(s.wick_ratio, s.jump_ratio) > 0
    union all
    select
        a.instrument_id,
        a.opened_at,
        'off_market' as rule,
        jsonb_build_object(
            'median', trim_scale(a.median),
            'venues', a.venues,
            'deviation_percent', round((a.close - a.median) * 100 / a.median, 4)
        ) as evidence
    from apart as a
),

computed as (
    select
        f.instrument_id,
        %(timeframe)s::market.timeframe as timeframe,
        f.opened_at,
        f.rule,
        f.evidence
    from flagged as f
),

{{
    merge(
        'mart.candle_flag', ['instrument_id', 'timeframe', 'opened_at', 'rule'], ['evidence'],
        't.instrument_id in (select i.instrument_id from market.instrument as i where i.base = %(crypto)s)'
        ' and t.timeframe = %(timeframe)s::market.timeframe'
        ' and t.opened_at >= %(starts_at)s and t.opened_at < %(ends_at)s'
    )
}}
