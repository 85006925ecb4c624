-- Answers noted for a series by source, and the newest. Parameters: instrument_id, timeframe, covers (a range).
select a.source, count(*), max(a.recorded_at)
from market.attestation as a
where
    a.instrument_id = %(instrument_id)s and a.timeframe = %(timeframe)s::market.timeframe
    and a.covers && %(covers)s::tstzrange
group by a.source
order by a.source
