-- Where a task's time went: at work, and of that waiting for a source's request budget.

alter table ops.pipeline_run
add column work_seconds double precision check (work_seconds >= 0),
add column wait_seconds double precision check (wait_seconds between 0 and work_seconds);

comment on column ops.pipeline_run.work_seconds is 'From the operator''s first step to its last, in its process.';
comment on column ops.pipeline_run.wait_seconds is
'Of those, asleep until a source''s budget allowed the next request.';
