-- Deletes changes recorded before a time that every named consumer has a receipt for; receipts go with them.
-- Parameters: dataset, consumers (array), older_than.
delete from ops.change_range as c
where
    c.dataset = %(dataset)s
    and c.recorded_at < %(older_than)s
    and not exists (
        select from unnest(%(consumers)s::text[]) as named (consumer)
        where not exists (
            select from ops.change_receipt as r
            where r.change_id = c.change_id and r.consumer = named.consumer
        )
    )
