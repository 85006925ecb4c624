-- Coins that have candles and no rows by the present definition. Key: crypto. Parameters: sha256 of the definition.
select distinct i.base as crypto
from market.instrument as i
left join mart.definition as d on i.base = d.subject and d.sha256 = %(sha256)s
where
    d.sha256 is null
    and exists (select from market.candle as c where c.instrument_id = i.instrument_id)
order by i.base
