-- Puts archived tickers that the table lacks back as they were, from ticker_restore_staging, in one statement.
-- Key: instrument_id, observed_at. Names: columns. Parameters: instrument_id.
-- Answers the number of tickers put back, and of those that the table holds with other values.
with restored as (
    insert into market.ticker (instrument_id, {{ columns | join(', ') }})
    select
        %(instrument_id)s, s.{{ columns | join(', s.') }}
    from ticker_restore_staging as s
    order by s.observed_at
    on conflict (instrument_id, observed_at) do nothing
    returning 1
)

select
    (select count(*) from restored) as restored,
    (
        select count(*)
        from ticker_restore_staging as s
        inner join market.ticker as t
            on t.instrument_id = %(instrument_id)s and s.observed_at = t.observed_at
        where (s.{{ columns | join(', s.') }}) is distinct from (t.{{ columns | join(', t.') }})
    ) as differing
