-- How the served models did over 90 days, kept as the task publish_facts last worked it out: the scoreboard reads every
-- score there is, too much for a page that is asked four times a minute.

create table ops.served_skill (
    instrument_id integer not null references market.instrument (instrument_id),
    timeframe market.timeframe not null,
    horizon_bars integer not null check (horizon_bars > 0),
    target text not null check (target in ('log_return', 'volatility')),
    days bigint not null check (days > 0),
    skill float8,
    skill_upper float8,
    interval_coverage float8 check (interval_coverage between 0 and 1),
    interval_coverage_95 float8 check (interval_coverage_95 between 0 and 1),
    primary key (instrument_id, timeframe, horizon_bars, target)
);
comment on table ops.served_skill is
'The line of ml.scoreboard over 90 days of the model that was served last, against the simplest baseline.';
grant select on ops.served_skill to monitor;
