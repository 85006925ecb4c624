-- What a day's universe is made of, as one text: another text means that every day must be ranked anew. No parameters.
select
    coalesce(
        string_agg(
            concat_ws(' ', i.instrument_id, i.venue, i.symbol, i.listed_at, coalesce(i.delisted_at, 'infinity')),
            ', ' order by i.instrument_id
        ),
        ''
    ) as universe
from market.instrument as i
