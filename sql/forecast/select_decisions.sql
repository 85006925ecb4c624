-- Decisions who serves for one registered model, newest first. Key: promotion_id. Parameters: registered_model.
select
    p.decided_at,
    p.decision,
    p.champion_before,
    p.champion_after,
    p.decided_by,
    p.reason
from ml.promotion as p
where p.registered_model = %(registered_model)s
order by p.promotion_id desc
