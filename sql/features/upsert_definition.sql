-- Notes by which definitions all rows of a series were computed; a repeat writes nothing.
-- Key: instrument_id, timeframe. Parameters: instrument_id, timeframe, sha256, recorded_at.
insert into features.definition as d (instrument_id, timeframe, sha256, recorded_at)
select %(instrument_id)s, %(timeframe)s::market.timeframe, %(sha256)s, %(recorded_at)s
where
    not exists (
        select 1
        from features.definition as held
        where
            held.instrument_id = %(instrument_id)s
            and held.timeframe = %(timeframe)s::market.timeframe
            and held.sha256 = %(sha256)s
    )
on conflict (instrument_id, timeframe) do update set sha256 = excluded.sha256, recorded_at = excluded.recorded_at
