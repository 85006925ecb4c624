-- Candles and feature rows side by side, and which rules each keeps. Key: market, timeframe, opened_at.
-- A rule is a column of its own, never NULL; `absent` names the columns that may not be NULL there and are.
-- A run of bars ends at a hole that indicators do not step over; `seen` counts its bars among those that are checked,
-- so that the first checked rows are judged leniently. Which rows: sql/checks/series.sql.
-- Names: columns, presences, allowances, ordered, broken_hole, stale_days and those of sql/checks/series.sql.
-- No parameters.
with series as (
    {% filter indent %}{% include 'checks/series.sql' %}{% endfilter %}
),

-- How many bars of the last 30 days may miss before a window of the clock may be NULL.
allowance (timeframe, {{ (allowances.values() | first).keys() | join(', ') }}) as (
    values
    {%- for timeframe, allowed in allowances.items() %}
    ('{{ timeframe }}'::market.timeframe, {{ allowed.values() | join(', ') }}){{ "," if not loop.last }}
    {%- endfor %}
),

candle as (
    select
        s.instrument_id,
        s.timeframe,
        m.opened_at
    from series as s
    cross join lateral (
        select c.opened_at
        from market.candle as c
        where
            c.instrument_id = s.instrument_id and c.timeframe = s.timeframe
            and c.opened_at >= s.checked_from and c.opened_at < s.checked_until
        order by c.opened_at  -- series by series by its key; a join would read the whole table
    ) as m
),

feature as (
    select f.*
    from series as s
    cross join lateral (
        select r.*
        from features.candle_feature as r
        where
            r.instrument_id = s.instrument_id and r.timeframe = s.timeframe
            and r.opened_at >= s.checked_from and r.opened_at < s.checked_until
        order by r.opened_at  -- series by series by its key; a join would read the whole table
    ) as f
),

held as (
    select
        instrument_id,
        timeframe,
        opened_at,
        c.opened_at is not null as has_candle,
        f.opened_at is not null as has_row,
        f.opened_at as row_at,
        f.{{ columns | join(', f.') }}
    from candle as c
    full join feature as f using (instrument_id, timeframe, opened_at)
),

placed as (
    select
        h.*,
        h.opened_at - lag(h.opened_at) over in_series as since_last,
        max(h.row_at) over (partition by h.instrument_id, h.timeframe) as newest_row_at,
        lead(h.opened_at) over in_series is null as is_newest
    from held as h
    window in_series as (partition by h.instrument_id, h.timeframe order by h.opened_at)
),

numbered as (
    select
        p.*,
        count(*) filter (where p.since_last > {{ broken_hole }} * market.step(p.timeframe)) over (
            partition by p.instrument_id, p.timeframe order by p.opened_at
        ) as run
    from placed as p
),

witnessed as (
    select
        n.*,
        least(row_number() over in_run, n.history_bars + 1) as seen,
        n.since_last = market.step(n.timeframe) as is_next,
        -- Evidence that a column which is NULL where nothing moves has no reason to be.
        n.bollinger_width > 0.000001 or n.change_percent <> 0 as has_moved,
        abs(n.rsi_14 - lag(n.rsi_14) over in_run) > 0.000001 and count(n.rsi_14) over last_fourteen = 14
            as has_rsi_moved,
        count(*) filter (where n.di_plus_14 + n.di_minus_14 > 0) over last_fourteen = 14 as has_direction,
        count(n.stoch_rsi) over last_three = 3 as has_stochastic,
        count(n.stoch_rsi_k) over last_three = 3 as has_stochastic_k,
        n.bollinger_upper > n.bollinger_lower as has_band
    from numbered as n
    window
        in_run as (partition by n.instrument_id, n.timeframe, n.run order by n.opened_at),
        last_three as (in_run rows 2 preceding),
        last_fourteen as (in_run rows 13 preceding)
),

searched as (
    select
        w.*,
        d.market,
        d.is_index_settled,
        w.opened_at >= coalesce(d.recomputable_from, '-infinity') as is_recomputable,
        array_remove(
            array[
                {%- for each in presences %}
                case
                    when
                        w.{{ each.name }} is null and w.has_row
                        and w.seen > {{ each.warm_up }} and w.{{ each.evidence }}
                        {%- if each.allowance %} and w.missing_bars_30d <= a.{{ each.allowance }}{% endif %}
                        then '{{ each.name }}'
                end{{ "," if not loop.last }}
                {%- endfor %}
            ],
            null
        ) as absent
    from witnessed as w
    inner join series as d on w.instrument_id = d.instrument_id and w.timeframe = d.timeframe
    inner join allowance as a on w.timeframe = a.timeframe
)

select
    s.*,
    s.has_row or not s.has_candle or s.opened_at > coalesce(s.newest_row_at, '-infinity') as row_for_each_candle,
    s.has_candle or exists (
        select 1
        from ops.archive_manifest as m
        where
            m.instrument_id = s.instrument_id and m.timeframe = s.timeframe and m.dropped_at is not null
            and s.opened_at between m.first_opened_at and m.last_opened_at
    ) as candle_for_each_row,
    s.has_row or not s.is_newest as rows_are_fresh,
    cardinality(s.absent) = 0 or not s.is_recomputable as no_null_after_warm_up,
    s.fear_greed is not null or not s.has_row or not s.is_recomputable or not s.is_index_settled or not exists (
        select 1
        from market.fear_greed as g
        where
            g.day > ((s.opened_at + market.step(s.timeframe)) at time zone 'UTC')::date - {{ stale_days }}
            and g.published_at <= s.opened_at + market.step(s.timeframe)
    ) as index_is_joined,
    {%- for rule, names in ordered.items() %}
    {%- set chain = loop %}
    (
        {%- for name in names[1:] %}
        {{ "or " if not loop.first }}s.{{ names[loop.index0] }} > s.{{ name }}
        {%- endfor %}
    ) is not true as {{ rule }}{{ "," if not chain.last }}
    {%- endfor %}
from searched as s
