"""Ports and folders of an installation."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from include.stack.layout import Layout, Ports, StackError, last_world


@pytest.fixture
def taken() -> socket.socket:
    """A TCP port somebody listens on."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def free_ports(**given: int) -> Ports:
    """Ports nobody uses, but for the given ones."""
    chosen = dict(given)
    probes = []
    for name in Ports.__slots__:
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        probes.append(probe)  # kept open, so that no number is given twice
        chosen.setdefault(name, probe.getsockname()[1])
    for probe in probes:
        probe.close()
    return Ports(**chosen)


def test_ports_come_from_the_environment() -> None:
    assert Ports.from_environment({}) == Ports()
    assert Ports.from_environment({"AIRFLOW_PORT": "18080", "POSTGRES_PORT": ""}).airflow == 18080
    assert Ports.from_environment({"POSTGRES_PORT": ""}).postgres == Ports().postgres


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "80.0"])
def test_what_is_no_port_is_named(text: str) -> None:
    with pytest.raises(StackError, match=r"MLFLOW_PORT='.*' is not a port number"):
        Ports.from_environment({"MLFLOW_PORT": text})


def test_two_services_cannot_share_a_port() -> None:
    with pytest.raises(StackError, match="same port"):
        Ports.from_environment({"AIRFLOW_PORT": "5000"})


def test_a_taken_port_names_its_remedy(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    (line,) = free_ports(metrics=port).taken("recorded")
    assert f"port {port} (metrics) is taken" in line
    assert "choose another: METRICS_PORT=" in line
    taken.close()
    assert free_ports(metrics=port).taken("recorded") == []


def test_the_statsd_port_is_udp(taken: socket.socket) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        (line,) = free_ports(statsd=receiver.getsockname()[1]).taken("live")
        assert "STATSD_PORT" in line
    assert free_ports(statsd=taken.getsockname()[1]).taken("live") == []


def test_a_live_stack_needs_no_replay_port(taken: socket.socket) -> None:
    ports = free_ports(replay=taken.getsockname()[1])
    assert ports.taken("live") == []
    assert len(ports.taken("synthetic")) == 1


def test_a_taken_port_of_an_optional_program_stops_nobody(taken: socket.socket) -> None:
    ports = free_ports(prometheus=taken.getsockname()[1])
    assert ports.taken("recorded") == []
    assert "PROMETHEUS_PORT" in (ports.taken_line("prometheus") or "")
    assert ports.taken_line("node_exporter") is None


def test_worlds_have_folders_of_their_own(tmp_path: Path) -> None:
    layouts = [Layout.from_environment(world, {"STACK_VAR": str(tmp_path)}) for world in ("live", "synthetic")]
    assert len({layout.postgres_data for layout in layouts}) == len({layout.credentials for layout in layouts}) == 2
    assert {layout.lock for layout in layouts} == {tmp_path / "stack.lock"}
    with pytest.raises(StackError, match="unknown world 'paper'"):
        Layout.from_environment("paper", {})


def test_folders_are_made_and_airflows_is_the_owners_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "var", "live")
    layout.make()
    layout.make()
    assert layout.archive.is_dir()
    assert layout.airflow_home.stat().st_mode & 0o777 == 0o700


def test_the_last_world(tmp_path: Path) -> None:
    assert last_world(tmp_path) is None
    (tmp_path / "world").write_text("recorded\n")
    assert last_world(tmp_path) == "recorded"
