-- Receipts of a consumer for changes that are still there. Parameters: consumer, change_ids (array).
insert into ops.change_receipt (consumer, change_id)
select %(consumer)s, c.change_id
from ops.change_range as c
where c.change_id = any(%(change_ids)s::bigint[])
for key share
on conflict do nothing
