-- Which instruments are of which coin. Key: instrument_id. No parameters.
select
    i.instrument_id,
    i.base as crypto
from market.instrument as i
