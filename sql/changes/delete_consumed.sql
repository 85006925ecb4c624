-- Deletes a dataset's changes recorded before a time that every named consumer has a receipt for, and that are not
-- among the newest ids of all datasets; their receipts go with them (on delete cascade).
-- Parameters: dataset, consumers (array, each once), older_than, kept_ids.
delete from ops.change_range as c
where
    c.dataset = %(dataset)s
    and c.recorded_at < %(older_than)s
    and c.change_id <= (select max(n.change_id) from ops.change_range as n) - %(kept_ids)s
    and (
        select count(*) from ops.change_receipt as r
        where r.change_id = c.change_id and r.consumer = any(%(consumers)s::text[])
    ) = cardinality(%(consumers)s::text[])
