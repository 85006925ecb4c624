-- One request budget and one circuit per host, shared by every task and process. Times are the database's own clock:
-- machines differ, a replayed world's clock stands still, and a venue counts real seconds.

create type ops.circuit_state as enum ('closed', 'half_open', 'open');

create table ops.circuit (
    source text primary key check (source ~ '^[a-z][a-z0-9_]*$'),
    state ops.circuit_state not null default 'closed',
    reason text,
    opened_at timestamptz,
    retry_at timestamptz,
    opened_count integer not null default 0 check (opened_count >= 0),
    failure_count integer not null default 0 check (failure_count >= 0),
    blocked_until timestamptz,
    blocked_reason text,
    blocked_count integer not null default 0 check (blocked_count >= 0),
    last_error text,
    changed_at timestamptz not null default clock_timestamp(),
    check ((state = 'closed') = (retry_at is null)),
    check ((state = 'closed') = (opened_at is null))
) with (fillfactor = 50);
comment on table ops.circuit is 'What stands between us and a host now; its row is the lock of all that is its own.';
comment on column ops.circuit.retry_at is
'Open: when one request may try again. Half open: until when that request has time; then another one may.';
comment on column ops.circuit.opened_count is 'Openings without a good answer between them; each lasts longer.';
comment on column ops.circuit.failure_count is 'Answers that failed to come since the last good one.';
comment on column ops.circuit.blocked_until is
'Nobody sends before: the host said so, or its own count is nearly full.';
comment on column ops.circuit.blocked_count is
'Blocks since the last good answer; without a Retry-After each is longer.';

create table ops.rate_budget (
    source text not null references ops.circuit on delete cascade,
    window_seconds integer not null check (window_seconds > 0),
    units double precision not null check (units > 0),
    capacity double precision not null check (capacity > 0 and capacity <= units),
    refill_per_second double precision not null check (refill_per_second > 0),
    tokens double precision not null check (tokens <= capacity),
    is_active boolean not null default true,
    updated_at timestamptz not null,
    primary key (source, window_seconds)
) with (fillfactor = 50);
comment on table ops.rate_budget is
'Token buckets of a host: at most units of weight in any window_seconds. Made for capacity + refill * window <= units.';
comment on column ops.rate_budget.tokens is
'Weight that may be sent at once, as of updated_at; negative after a request heavier than the capacity.';
comment on column ops.rate_budget.is_active is
'False for a limit that is configured no more: charged on, so that it holds at once when it comes back.';

create table ops.request_usage (
    source text not null,
    hour timestamptz not null check (date_trunc('hour', hour, 'UTC') = hour),
    priority text not null check (priority in ('live', 'repair', 'backfill')),
    requests bigint not null,
    weight double precision not null,
    primary key (source, hour, priority)
) with (fillfactor = 50);
comment on table ops.request_usage is 'Requests let through, with their weight, per UTC hour.';

create table ops.circuit_event (
    event_id bigint generated always as identity primary key,
    source text not null,
    changed_at timestamptz not null,
    old_state ops.circuit_state not null,
    new_state ops.circuit_state not null,
    reason text,
    retry_at timestamptz,
    last_error text
);
create index circuit_event_source on ops.circuit_event (source, changed_at);
comment on table ops.circuit_event is 'Every change of a circuit''s state, appended by a trigger.';
revoke update, delete on ops.circuit_event from warehouse_writer;

create function ops.record_circuit_event() returns trigger
language plpgsql as $$
begin
    insert into ops.circuit_event (source, changed_at, old_state, new_state, reason, retry_at, last_error)
    values (new.source, new.changed_at, old.state, new.state, new.reason, new.retry_at, new.last_error);
    return null;
end $$;
create trigger circuit_event after update on ops.circuit
for each row when (old.state is distinct from new.state) execute function ops.record_circuit_event();

create function ops.turn_key(source text, priority text) returns bigint
language sql immutable strict parallel safe
return hashtextextended('turn at ' || source || ' for ' || priority, 0);
comment on function ops.turn_key is
'Advisory lock of the session that is next at its priority: equals queue for it, lower priorities let it go first.';

-- Takes p_weight from every bucket of the host, or says why not:
--   granted  the request may be sent
--   wait     not enough tokens for wait_seconds more; the session now has the turn of its priority and shall ask again
--   queue    another session of this priority has the turn; wait for ops.turn_key's lock, then ask with p_has_turn
--   blocked  the host wants silence for wait_seconds more
--   open     the circuit is open for wait_seconds more, for `reason`
-- p_reserve: share of each bucket's capacity that shall be left. p_probe_seconds: how long a half-open circuit waits
-- for the one request that it lets through. p_at: the time, for tests; the database's clock where NULL.
-- is_troubled: whether the host has failures on its record that a good answer would clear.
create function ops.take_tokens(
    p_source text,
    p_weight double precision,
    p_priority text,
    p_reserve double precision,
    p_has_turn boolean,
    p_probe_seconds double precision,
    p_at timestamptz,
    out outcome text,
    out wait_seconds double precision,
    out reason text,
    out is_troubled boolean,
    out is_probe boolean
)
language plpgsql as $$
declare
    host ops.circuit;
    moment timestamptz;
    higher text;
    higher_ones text[] := case p_priority
        when 'live' then '{}' when 'repair' then '{live}' when 'backfill' then '{live, repair}'
    end;
    turn bigint := ops.turn_key(p_source, p_priority);
begin
    wait_seconds := 0;
    is_probe := false;
    select c.* into strict host from ops.circuit as c where c.source = p_source for update;
    moment := coalesce(p_at, clock_timestamp()); -- after the lock, which may have taken a while
    is_troubled := host.state <> 'closed' or host.failure_count > 0 or host.blocked_count > 0;

    if host.retry_at > moment then
        outcome := 'open';
        reason := host.reason;
        wait_seconds := extract(epoch from host.retry_at - moment);
    elsif host.blocked_until > moment then
        outcome := 'blocked';
        reason := host.blocked_reason;
        wait_seconds := extract(epoch from host.blocked_until - moment);
    end if;
    if outcome is not null then
        if p_has_turn then
            perform pg_advisory_unlock(turn);
        end if;
        return;
    end if;

    if not p_has_turn and not pg_try_advisory_lock(turn) then
        outcome := 'queue';
        return;
    end if;

    -- What a bucket lacks for this request takes (lack / refill) seconds. A request heavier than the capacity needs a
    -- full bucket. A millionth of a unit is no lack but the rounding of its own wait.
    select coalesce(max((b.lack - 1e-6) / b.refill_per_second), 0) into wait_seconds
    from (
        select
            r.refill_per_second,
            least(r.capacity, p_weight + p_reserve * r.capacity) - least(
                r.capacity,
                r.tokens + r.refill_per_second * greatest(0, extract(epoch from moment - r.updated_at)::double precision)
            ) as lack
        from ops.rate_budget as r
        where r.source = p_source and r.is_active
    ) as b
    where b.lack > 1e-6;

    -- Whoever waits at a higher priority is served first.
    foreach higher in array higher_ones loop
        if pg_try_advisory_lock_shared(ops.turn_key(p_source, higher)) then
            perform pg_advisory_unlock_shared(ops.turn_key(p_source, higher));
        else
            wait_seconds := greatest(wait_seconds, 0.02);
            reason := higher || ' requests first';
        end if;
    end loop;
    if wait_seconds > 0 then
        outcome := 'wait';
        return;
    end if;

    update ops.rate_budget as r
    set
        tokens = least(
            r.capacity,
            r.tokens + r.refill_per_second * greatest(0, extract(epoch from moment - r.updated_at)::double precision)
        ) - p_weight,
        updated_at = moment -- also where the clock was set back: or nothing would flow until it has caught up
    where r.source = p_source;
    insert into ops.request_usage as u (source, hour, priority, requests, weight)
    values (p_source, date_trunc('hour', moment, 'UTC'), p_priority, 1, p_weight)
    on conflict on constraint request_usage_pkey do update
    set requests = u.requests + 1, weight = u.weight + excluded.weight;
    if host.state <> 'closed' then
        is_probe := true;
        update ops.circuit as c
        set
            state = 'half_open',
            retry_at = moment + make_interval(secs => p_probe_seconds),
            changed_at = moment
        where c.source = p_source;
    end if;
    perform pg_advisory_unlock(turn);
    outcome := 'granted';
end $$;

create view ops.host_state as
select
    c.source,
    c.state as circuit,
    c.reason as circuit_reason,
    c.opened_at,
    c.retry_at,
    c.failure_count,
    c.blocked_until,
    c.blocked_reason,
    greatest(0, extract(epoch from c.blocked_until - clock_timestamp()))::double precision as blocked_for_seconds,
    c.last_error,
    c.changed_at,
    r.window_seconds,
    r.units,
    r.capacity,
    r.refill_per_second,
    least(
        r.capacity,
        r.tokens
        + r.refill_per_second * greatest(0, extract(epoch from clock_timestamp() - r.updated_at)::double precision)
    ) as tokens_left,
    u.requests_this_hour,
    u.weight_this_hour,
    u.requests_this_month,
    u.weight_this_month
from ops.circuit as c
inner join ops.rate_budget as r on c.source = r.source and r.is_active
cross join lateral (
    select
        coalesce(sum(q.requests) filter (where q.hour = date_trunc('hour', clock_timestamp(), 'UTC')), 0)::bigint
            as requests_this_hour,
        coalesce(sum(q.weight) filter (where q.hour = date_trunc('hour', clock_timestamp(), 'UTC')), 0)
            as weight_this_hour,
        coalesce(sum(q.requests), 0)::bigint as requests_this_month,
        coalesce(sum(q.weight), 0) as weight_this_month
    from ops.request_usage as q
    where q.source = c.source and q.hour >= date_trunc('month', clock_timestamp(), 'UTC')
) as u;
comment on view ops.host_state is
'Budget and circuit of each host now, one row per limit; key (source, window_seconds). Months and hours are UTC.';
