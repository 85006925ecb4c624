"""A gate before a host: short waits, long ones, blocks and circuits, in a time of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from requests.structures import CaseInsensitiveDict

from include.clock import FixedClock
from include.politeness import store
from include.politeness.gate import BudgetUnavailableError, HostGate, gate_for
from include.politeness.limits import buckets_of
from include.politeness.priority import Priority
from include.politeness.session import open_session
from include.venues import errors
from include.venues.capabilities import Limit
from include.venues.errors import CircuitOpenError, RateLimitedError, VenueError
from include.venues.response import Response
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection

START = datetime(2024, 6, 1, 12, 40, 20, tzinfo=UTC)
GOOD = Response(200, CaseInsensitiveDict({"Date": "Sat, 01 Jun 2024 12:40:20 GMT"}), b"[]", "https://venue.test")
DOWN = errors.UnavailableError("binance", "down")


class World:
    """Time, gates of several processes, and what they slept."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.clock = FixedClock(START)
        self.slept: list[float] = []
        self.gates: list[HostGate] = []

    def gate(
        self, priority: Priority = Priority.LIVE, source: str = "binance", limits: list[Limit] | None = None
    ) -> HostGate:
        made = HostGate(
            lambda: open_session(self.dsn, 0.5), source, priority, limits, sleep=self.sleep, clock=self.clock
        )
        self.gates.append(made)
        return made

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)

    @property
    def now(self) -> float:
        """Seconds since START."""
        return (self.clock.at - START).total_seconds()


@pytest.fixture
def world(warehouse: WarehouseDsns) -> Iterator[World]:
    made = World(warehouse.writer)
    yield made
    for gate in made.gates:
        gate.close()


def ask(gate: HostGate, error: VenueError | None = None, response: Response | None = GOOD, weight: float = 1) -> None:
    gate.enter(weight)
    gate.leave(weight, None if isinstance(error, errors.UnavailableError) else response, error)


def seconds_to_wait(gate: HostGate) -> float:
    """Seconds a request is told to stay away for; 0 where it is let through."""
    try:
        gate.enter(1)
    except RateLimitedError as error:
        return error.retry_after_seconds or float("nan")
    return 0


def circuit(reader: Connection, source: str = "binance") -> tuple[str, str | None]:
    found = reader.execute("select state::text, reason from ops.circuit where source = %s", (source,)).fetchone()
    assert found is not None
    return found[0], found[1]


def with_headers(status: int, headers: Mapping[str, str]) -> Response:
    return Response(status, CaseInsensitiveDict(headers), b"", "https://venue.test")


# Budget ------------------------------------------------------------------------------------------------------------


def test_a_short_wait_is_slept_in_place_and_a_long_one_is_the_schedulers(world: World) -> None:
    gate = world.gate(source="alternative_me", limits=[Limit(10, 60)])
    for _ in range(3):
        gate.enter(1)
    assert [round(seconds, 2) for seconds in world.slept] == [6.06, 6.06]
    slow = world.gate(source="slow", limits=[Limit(4, 60)])
    slow.enter(1)
    with pytest.raises(RateLimitedError, match=r"our own budget is used up \(4 in 60 s\)") as refusal:
        slow.enter(1)
    assert refusal.value.retry_after_seconds == 16  # 15.15, rounded up
    assert not isinstance(refusal.value, CircuitOpenError)
    world.pass_(16)
    slow.enter(1)
    assert len(world.slept) == 2


def test_every_process_draws_on_the_same_budget(world: World) -> None:
    one, other = world.gate(source="kraken"), world.gate(Priority.BACKFILL, source="kraken")
    for gate in (one, other, one, other):
        gate.enter(1)
    assert world.now == pytest.approx(3 * 1.05, abs=0.001)


def test_all_limits_hold_at_once(world: World) -> None:
    gate = world.gate(source="coingecko", limits=[Limit(25, 60), Limit(40, 86_400)])
    for _ in range(10):
        gate.enter(1)
    assert world.now == pytest.approx(9 * 60.6 / 25, abs=0.001)
    assert seconds_to_wait(gate) > 1000, "the ten that a day may spend at once are spent"


def test_a_deployments_limits_are_followed_by_the_row_and_by_running_gates(world: World, reader: Connection) -> None:
    query = "select window_seconds, units, is_active from ops.rate_budget where source = 'binance' order by 1"
    running = world.gate(limits=[Limit(6000, 60)])
    running.enter(2)
    assert reader.execute(query).fetchall() == [(60, 6000, True)]
    world.gate(limits=[Limit(1, 60), Limit(100, 3600)]).enter(1)
    assert reader.execute(query).fetchall() == [(60, 1, True), (3600, 100, True)]
    assert seconds_to_wait(running) == 61
    world.gate().enter(20)
    assert reader.execute(query).fetchall() == [(60, 1200, True), (3600, 100, False)]


def test_a_limit_that_comes_back_remembers_what_was_used_without_it(world: World, reader: Connection) -> None:
    both, one = [Limit(6000, 60), Limit(100, 3600)], [Limit(6000, 60)]
    for limits in (both, one, both, one):
        for _ in range(3):
            ask(world.gate(limits=limits), weight=2)
    tokens = reader.execute("select tokens from ops.rate_budget where window_seconds = 3600").fetchone()
    assert tokens is not None
    assert tokens[0] == pytest.approx(25 - 24, abs=0.01)


def test_a_limit_that_is_configured_no_more_holds_nobody_up(world: World) -> None:
    world.gate(limits=[Limit(6000, 60), Limit(2, 3600)]).enter(1)
    gate = world.gate(limits=[Limit(6000, 60)])
    for _ in range(10):
        gate.enter(2)
    assert world.slept == []


def test_the_last_token_is_given_once(world: World, writer: Connection) -> None:
    store.configure(writer, "host", buckets_of("host", [Limit(1, 1)]), START)
    outcomes: list[str] = []
    with open_session(world.dsn, 10) as other:

        def ask_at_the_same_time() -> None:
            outcomes.append(store.take(other, "host", 1, Priority.LIVE, False, START).outcome)

        thread = threading.Thread(target=ask_at_the_same_time)
        with writer.transaction():
            assert store.take(writer, "host", 1, Priority.REPAIR, False, START).outcome == "granted"
            thread.start()
            thread.join(0.3)
            assert outcomes == [], "it waits to see what is left"
        thread.join()
    assert outcomes == ["wait"]


def test_an_unchanged_configuration_writes_nothing(world: World, reader: Connection) -> None:
    world.gate().enter(1)
    before = reader.execute("select xmin::text, tokens from ops.rate_budget").fetchall()
    store.configure(world.gates[0]._session(), "binance", buckets_of("binance"))
    assert reader.execute("select xmin::text, tokens from ops.rate_budget").fetchall() == before


def test_a_data_transaction_that_rolls_back_gives_no_token_back(world: World, writer: Connection) -> None:
    gate = world.gate()
    with writer.transaction(force_rollback=True):
        writer.execute("insert into ops.circuit (source) values ('elsewhere')")
        gate.enter(20)
    assert writer.execute("select source from ops.circuit").fetchall() == [("binance",)]
    assert store.used_since(writer, "binance", START) == (1, 20)


@pytest.mark.parametrize("weight", [0, -1, 0.5, float("nan")])
def test_a_request_weighs_something(world: World, weight: float) -> None:
    with pytest.raises(ValueError, match="no source charges"):
        world.gate().enter(weight)


# Priorities --------------------------------------------------------------------------------------------------------


def test_live_waits_for_one_requests_tokens_while_a_backfill_runs(world: World, writer: Connection) -> None:
    live, backfill = world.gate(source="kraken"), world.gate(Priority.BACKFILL, source="kraken")
    backfill.enter(1.5)
    ahead: list[str] = []

    def live_sleeps(seconds: float) -> None:
        # While live waits, a backfill asks: also after the moment at which there is a token.
        world.pass_(seconds)
        grant = store.take(writer, "kraken", 1.5, Priority.BACKFILL, False, world.clock.at)
        ahead.append(f"{grant.outcome}: {grant.reason}")
        store.give_up_turn(writer, "kraken", Priority.BACKFILL)

    live._sleep = live_sleeps
    began = world.now
    live.enter(1)
    assert ahead == ["wait: live requests first"]
    assert world.now - began == pytest.approx(1.5 * 1.05, abs=0.001)
    assert store.take(writer, "kraken", 1, Priority.REPAIR, False, world.clock.at).reason is None


def test_repair_goes_before_backfill_and_after_live(world: World) -> None:
    order = [Priority.BACKFILL, Priority.REPAIR, Priority.LIVE]
    sessions = {each: open_session(world.dsn, 1) for each in order}
    world.gate(source="kraken").enter(1)

    def take(priority: Priority, has_turn: bool) -> str:
        return store.take(sessions[priority], "kraken", 1, priority, has_turn, world.clock.at).outcome

    assert [take(each, False) for each in order] == ["wait"] * 3
    served = []
    for _ in order:
        world.pass_(1.06)
        waiting = [each for each in order if each not in served]
        served += [each for each in waiting if take(each, True) == "granted"]
    assert served == order[::-1]
    for session in sessions.values():
        session.close()


def test_equals_are_served_as_they_came_and_none_waits_for_ever(world: World) -> None:
    first, second = world.gate(source="kraken"), world.gate(source="kraken")
    first.enter(1)
    second.enter(1)
    asleep, go_on = threading.Event(), threading.Event()

    def sleeps(seconds: float) -> None:
        asleep.set()
        go_on.wait(10)
        world.pass_(seconds)

    first._sleep = sleeps
    thread = threading.Thread(target=first.enter, args=(1,))
    thread.start()
    assert asleep.wait(10)
    world.pass_(60)  # tokens are there again, but another has the turn
    with pytest.raises(RateLimitedError, match="other live requests go first"):
        second.enter(1)
    go_on.set()
    thread.join()
    second.enter(1)


def test_a_wait_that_was_given_up_leaves_the_turn_to_others(world: World) -> None:
    slow = [Limit(1, 60)]
    gates = [world.gate(priority, "slow", slow) for priority in (Priority.LIVE, Priority.LIVE, Priority.BACKFILL)]
    gates[0].enter(1)
    assert [seconds_to_wait(gate) for gate in gates] == [61, 61, 61]
    world.pass_(61)
    assert seconds_to_wait(gates[2]) == 0


@pytest.mark.parametrize(
    "error", [RateLimitedError("kraken", "slow", 100), errors.BannedError("kraken", "banned", 100)]
)
def test_a_wait_that_a_refusal_ends_leaves_the_turn_to_others(world: World, error: VenueError) -> None:
    waiting, other = world.gate(source="kraken"), world.gate(source="kraken")
    waiting.enter(1)

    def refused_meanwhile(seconds: float) -> None:
        other.leave(1, GOOD, error)
        world.pass_(seconds)

    waiting._sleep = refused_meanwhile
    with pytest.raises(RateLimitedError):
        waiting.enter(1)
    world.pass_(101)
    other.enter(1)


def test_a_thread_that_is_interrupted_in_its_sleep_holds_nothing(world: World) -> None:
    gate, other = world.gate(source="kraken"), world.gate(source="kraken")
    gate.enter(1)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    gate._sleep = interrupted
    with pytest.raises(KeyboardInterrupt):
        gate.enter(1)
    other.enter(1)


# Blocks ------------------------------------------------------------------------------------------------------------


def test_429_silences_every_process_for_as_long_as_the_host_said(world: World) -> None:
    one, other = world.gate(), world.gate(Priority.BACKFILL)
    other.enter(1)
    ask(one, RateLimitedError("binance", "slow down", 30))
    assert [seconds_to_wait(gate) for gate in (one, other)] == [31, 31]
    with pytest.raises(RateLimitedError, match=r"nobody may send for 31 s \(rate_limited\)"):
        other.enter(1)
    world.pass_(22)
    other.enter(1)  # nine seconds are short enough to be slept
    assert world.slept == [pytest.approx(9)]


def test_without_a_time_each_block_is_longer_until_a_good_answer(world: World) -> None:
    gate = world.gate(source="kraken")
    waits = []
    for _ in range(6):
        world.pass_(2)
        ask(gate, RateLimitedError("kraken", "EAPI:Rate limit exceeded"))
        ask(world.gate(source="elsewhere", limits=[Limit(1, 1)]))
        (until,) = gate._session().execute("select blocked_until from ops.circuit where source = 'kraken'").fetchall()
        waits.append((until[0] - world.clock.at).total_seconds())
        world.pass_(waits[-1])
    assert waits == [5, 10, 20, 40, 60, 60]
    ask(gate)
    world.pass_(2)
    ask(gate, RateLimitedError("kraken", "EAPI:Rate limit exceeded"))
    assert seconds_to_wait(gate) == 0
    assert world.slept[-1] == pytest.approx(5)


def test_requests_under_way_when_a_block_begins_are_one_offence(world: World) -> None:
    gate = world.gate(source="coinbase")
    for _ in range(4):
        gate.enter(1)
    for _ in range(4):
        gate.leave(1, GOOD, RateLimitedError("coinbase", "Too many requests"))
    began = world.now
    gate.enter(1)
    assert world.now - began == pytest.approx(1)


def test_coingecko_is_left_alone_for_a_minute_whatever_it_says(world: World) -> None:
    gate = world.gate(source="coingecko")
    ask(gate, RateLimitedError("coingecko", "slow", 2))
    assert seconds_to_wait(gate) == 60


def test_a_nearly_full_minute_of_the_host_is_waited_for(world: World) -> None:
    gate, other = world.gate(), world.gate()
    heavy = with_headers(200, {"X-MBX-USED-WEIGHT-1M": "4801", "Date": "Sat, 01 Jun 2024 12:40:20 GMT"})
    ask(gate, response=heavy)
    assert seconds_to_wait(other) == 40
    world.pass_(40)
    ask(gate, response=with_headers(200, {"X-MBX-USED-WEIGHT-1M": "4800"}))
    assert seconds_to_wait(other) == 0


# Circuits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reason", "seconds"),
    [
        (errors.BannedError("binance", "banned", 300), "banned", [301, 301]),
        (errors.BannedError("binance", "banned"), "banned", [120, 240]),
        (errors.GeoBlockedError("binance", "not here"), "geo_blocked", [3600, 7200]),
        (errors.ForbiddenError("binance", "firewall"), "forbidden", [300, 600]),
        (errors.AuthenticationError("binance", "key"), "authentication", [900, 1800]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_one_such_answer_opens_the_circuit_for_all_and_a_second_for_longer(
    world: World, reader: Connection, error: VenueError, reason: str, seconds: list[float]
) -> None:
    gate, other = world.gate(), world.gate(Priority.BACKFILL)
    other.enter(1)
    for expected in seconds:
        ask(gate, error)
        assert circuit(reader) == ("open", reason)
        with pytest.raises(CircuitOpenError, match=f"circuit is open: {reason}") as refusal:
            other.enter(1)
        assert refusal.value.retry_after_seconds == expected
        world.pass_(expected)
    assert world.slept == []
    ask(other)
    assert circuit(reader) == ("closed", None)
    ask(gate, error)
    assert seconds_to_wait(other) == seconds[0], "a good answer makes up for what was before"


def test_five_failures_in_a_row_open_the_circuit_and_a_good_answer_in_between_does_not(
    world: World, reader: Connection
) -> None:
    gate, other = world.gate(), world.gate()
    for _ in range(4):
        ask(gate, DOWN)
    ask(other)
    for count in range(5):
        assert circuit(reader) == ("closed", None)
        ask((gate, other)[count % 2], DOWN)
    assert circuit(reader) == ("open", "unavailable")
    waits = []
    for _ in range(7):
        waits.append(seconds_to_wait(other))
        world.pass_(waits[-1])
        ask(gate, DOWN)  # the one request of the half-open circuit
    assert waits == [30, 60, 120, 240, 480, 900, 900]


@pytest.mark.parametrize(
    "error",
    [
        errors.RequestRejectedError("binance", "bad", -1100),
        errors.UnknownSymbolError("binance", "gone", -1121),
        errors.NoDataError("binance", "nothing"),
        errors.OutOfReachError("binance", "too old"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_of_one_request_never_touches_the_circuit(
    world: World, reader: Connection, error: VenueError
) -> None:
    gate = world.gate()
    for _ in range(20):
        ask(gate, error)
    assert circuit(reader) == ("closed", None)
    assert reader.execute("select count(*) from ops.circuit_event").fetchone() == (0,)
    ask(gate, errors.ForbiddenError("binance", "firewall"))
    world.pass_(300)
    ask(gate, error)  # the host answered: it is well
    assert circuit(reader) == ("closed", None)


def test_a_half_open_circuit_lets_one_request_through_and_waits_for_what_becomes_of_it(
    world: World, reader: Connection
) -> None:
    gates = [world.gate(priority) for priority in Priority]
    ask(gates[0], errors.ForbiddenError("binance", "firewall"))
    world.pass_(300)
    assert [seconds_to_wait(gate) for gate in gates] == [0, 120, 120]
    assert circuit(reader) == ("half_open", "forbidden")
    world.pass_(120)  # the process that tried is dead: another may try
    assert [seconds_to_wait(gate) for gate in reversed(gates)] == [0, 120, 120]
    gates[2].leave(1, GOOD, None)
    assert circuit(reader) == ("closed", None)
    assert [seconds_to_wait(gate) for gate in gates] == [0, 0, 0]


def test_a_half_open_circuit_that_meets_429_opens_again(world: World, reader: Connection) -> None:
    gate = world.gate()
    ask(gate, errors.ForbiddenError("binance", "firewall"))
    world.pass_(300)
    ask(gate, RateLimitedError("binance", "slow", 20))
    assert circuit(reader)[0] == "open"
    assert seconds_to_wait(gate) == 21
    world.pass_(21)
    ask(gate)
    assert circuit(reader)[0] == "closed"


def test_answers_to_requests_sent_before_neither_close_nor_reopen_it(world: World, reader: Connection) -> None:
    gate = world.gate()
    for _ in range(4):
        gate.enter(1)
    gate.leave(1, GOOD, errors.BannedError("binance", "banned", 100))
    gate.leave(1, GOOD, None)
    gate.leave(1, GOOD, errors.BannedError("binance", "banned", 119))
    gate.leave(1, None, DOWN)
    assert circuit(reader) == ("open", "banned")
    assert seconds_to_wait(gate) == 120
    assert reader.execute("select opened_count from ops.circuit").fetchone() == (1,)
    assert reader.execute("select count(*) from ops.circuit_event").fetchone() == (1,)


def test_the_life_of_a_circuit_is_on_record(world: World, reader: Connection, writer: Connection) -> None:
    gate = world.gate()
    ask(gate, errors.GeoBlockedError("binance", "restricted location"))
    world.pass_(3600)
    ask(gate)
    events = reader.execute(
        "select old_state::text, new_state::text, changed_at, last_error from ops.circuit_event order by event_id"
    ).fetchall()
    error, later = "binance: restricted location", START + timedelta(hours=1)
    assert events == [
        ("closed", "open", START, error),
        ("open", "half_open", later, error),
        ("half_open", "closed", later, error),
    ]
    for change in ("update ops.circuit_event set reason = 'x'", "delete from ops.circuit_event"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(change)  # type: ignore[arg-type]


def test_one_hosts_circuit_is_no_other_hosts(world: World) -> None:
    ask(world.gate(), errors.BannedError("binance", "banned", 300))
    for source in ("kraken", "coinbase", "coingecko", "binance_archive", "alternative_me"):
        ask(world.gate(source=source))
    assert world.slept == []


# The database ------------------------------------------------------------------------------------------------------


def test_a_database_that_does_not_answer_is_no_permission() -> None:
    with (
        gate_for("binance", "live", "host=127.0.0.1 port=1 dbname=none") as gate,
        pytest.raises(BudgetUnavailableError, match="request budget of binance cannot be read"),
    ):
        gate.enter(1)


def test_a_lost_connection_is_replaced(world: World, writer: Connection) -> None:
    gate = world.gate(source="kraken")
    gate.enter(1)
    others = "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and datname ="
    writer.execute(f"{others} current_database() and pid <> pg_backend_pid()")
    gate.enter(1)
    assert world.now == pytest.approx(1.05, abs=0.001)


def test_what_could_not_be_put_on_record_is_before_the_next_request(world: World, reader: Connection) -> None:
    away = False

    def connect() -> Connection:
        if away:
            raise psycopg.OperationalError("connection refused")
        return open_session(world.dsn, 0.5)

    gate = HostGate(connect, "binance", Priority.LIVE, sleep=world.sleep, clock=world.clock)
    world.gates.append(gate)
    gate.enter(1)
    away = True
    gate.leave(1, GOOD, errors.BannedError("binance", "banned", 300))
    assert circuit(reader) == ("closed", None)
    away = False
    assert seconds_to_wait(gate) == 301
    assert circuit(reader) == ("open", "banned")


def test_another_role_than_the_writer_gets_no_token(warehouse: WarehouseDsns) -> None:
    with (
        gate_for("binance", "live", warehouse.reader) as gate,
        pytest.raises(BudgetUnavailableError, match="read-only"),
    ):
        gate.enter(1)


def test_a_gate_opens_no_connection_before_its_first_request_and_none_is_left(world: World, writer: Connection) -> None:
    query = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    before = writer.execute(query).fetchone()
    with gate_for("binance", "backfill", world.dsn) as gate:
        assert writer.execute(query).fetchone() == before
        gate.enter(1)
        gate.leave(1, GOOD, errors.ForbiddenError("binance", "x"))
        assert writer.execute(query).fetchone() != before
    for _ in range(100):
        if writer.execute(query).fetchone() == before:
            break
        writer.execute("select pg_sleep(0.02)")
    assert writer.execute(query).fetchone() == before


def test_an_unknown_priority_is_refused(warehouse: WarehouseDsns) -> None:
    with pytest.raises(ValueError, match="urgent"):
        gate_for("binance", "urgent", warehouse.writer)
