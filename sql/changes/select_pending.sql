-- Changes of a dataset that a consumer has no receipt for, oldest data first within instrument and timeframe.
-- Parameters: dataset, consumer.
select c.change_id, c.instrument_id, c.timeframe::text, c.starts_at, c.ends_at
from ops.change_range as c
where
    c.dataset = %(dataset)s
    and not exists (
        select from ops.change_receipt as r
        where r.change_id = c.change_id and r.consumer = %(consumer)s
    )
order by c.instrument_id, c.timeframe, c.starts_at, c.change_id
