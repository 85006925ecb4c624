import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.replay.clock import LEASE_SECONDS, ReplayClock
from include.replay.errors import ReplayError
from include.replay.state import StateFile

START = datetime(2025, 1, 31, 20, tzinfo=UTC)
END = datetime(2025, 2, 1, tzinfo=UTC)


class Machine:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_it_runs_at_its_speed_and_stops_at_the_end() -> None:
    machine = Machine()
    clock = ReplayClock(START, ends_at=END, speed=60, machine=machine)
    machine.seconds += 30
    assert clock.now() == START + timedelta(minutes=30)
    assert clock.now_ms() == int(clock.now().timestamp() * 1000)
    machine.seconds += 10_000
    assert clock.now() == END


def test_it_does_not_follow_the_machine_backwards() -> None:
    machine = Machine()
    clock = ReplayClock(START, machine=machine)
    machine.seconds += 5
    clock.now()
    machine.seconds -= 100
    assert clock.now() == START + timedelta(seconds=5)


def test_setting_goes_forward_only_and_not_past_the_end() -> None:
    machine = Machine()
    clock = ReplayClock(START, ends_at=END, machine=machine)
    clock.set(START + timedelta(hours=1), speed=0)
    machine.seconds += 50
    assert clock.now() == START + timedelta(hours=1)
    with pytest.raises(ReplayError, match="does not go back"):
        clock.set(START)
    with pytest.raises(ReplayError, match="ends at"):
        clock.set(END + timedelta(seconds=1))
    with pytest.raises(ReplayError, match="speed"):
        clock.set(speed=-1)
    clock.set(speed=2)
    machine.seconds += 50
    assert clock.now() == START + timedelta(hours=1, seconds=100)


def test_a_clean_restart_goes_on_from_the_exact_time(tmp_path: Path) -> None:
    machine, path = Machine(), tmp_path / "var" / "time.json"
    clock = ReplayClock(START, state=StateFile(path, "w"), machine=machine)
    machine.seconds += 7
    clock.close()
    assert ReplayClock(START, state=StateFile(path, "w"), machine=machine).now() == START + timedelta(seconds=7)


def test_a_killed_server_never_goes_back(tmp_path: Path) -> None:
    machine, path = Machine(), tmp_path / "time.json"
    clock = ReplayClock(START, speed=3, state=StateFile(path, "w"), machine=machine)
    for _ in range(100):
        machine.seconds += 0.7
        told = clock.now()
        woken = StateFile(path, "w").load()
        assert woken
        assert told <= woken <= told + timedelta(seconds=3 * LEASE_SECONDS)


def test_the_state_of_another_world_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "time.json"
    StateFile(path, "synthetic seed 1").save(START)
    with pytest.raises(ReplayError, match="holds the time of world 'synthetic seed 1'"):
        StateFile(path, "recorded").load()
    path.write_text("{")
    with pytest.raises(ReplayError, match="remove it"):
        StateFile(path, "recorded").load()


def test_the_state_file_is_written_rarely(tmp_path: Path) -> None:
    machine, path = Machine(), tmp_path / "time.json"
    clock = ReplayClock(START, state=StateFile(path, "w"), machine=machine)
    clock.now()
    first = json.loads(path.read_text())
    machine.seconds += LEASE_SECONDS / 2
    clock.now()
    assert json.loads(path.read_text()) == first
    machine.seconds += LEASE_SECONDS
    clock.now()
    assert json.loads(path.read_text()) != first
