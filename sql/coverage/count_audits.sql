-- How many audits were done of each venue since a time. Parameter: since.
select i.venue, count(*)
from ops.repair_step as r
inner join market.instrument as i using (instrument_id)
where r.purpose = 'audit' and r.outcome = 'done' and r.recorded_at > %(since)s
group by i.venue
