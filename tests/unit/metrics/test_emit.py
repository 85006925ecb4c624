"""What goes out on the wire, and that nothing about the network can hurt a task."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.metrics import emit
from include.metrics.emitted import EMITTED
from include.metrics.receiver.mapping import load_mapping
from include.metrics.receiver.server import Receiver
from include.metrics.registry import REGISTRY, UndeclaredMetricError

MAPPING = Path(__file__).parents[3] / "deploy/statsd/mapping.yml"


@pytest.fixture(autouse=True)
def fresh_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("STATSD_HOST", raising=False)
    emit._client.cache_clear()
    yield
    emit._client.cache_clear()


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(2)
        monkeypatch.setenv("STATSD_HOST", "127.0.0.1")
        monkeypatch.setenv("STATSD_PORT", str(listener.getsockname()[1]))
        yield listener


def test_packets_carry_tags_in_declared_order(listener: socket.socket) -> None:
    emit.count("crypto.ingest.rows", 7, result="new", dataset="candle")
    assert listener.recv(1000) == b"crypto.ingest.rows,dataset=candle,result=new:7|c"
    emit.count("crypto.reconcile.candles", 2, venue="binance", symbol="BTC/USDT", verdict="agree")
    assert listener.recv(1000) == b"crypto.reconcile.candles,venue=binance,symbol=BTC/USDT,verdict=agree:2|c"
    emit.timing("crypto.venue.request_seconds", 0.25, venue="binance")
    assert listener.recv(1000) == b"crypto.venue.request_seconds,venue=binance:250.000000|ms"


def test_illegal_characters_of_a_tag_are_replaced(listener: socket.socket) -> None:
    emit.count("crypto.venue.requests", venue="a:b,c=d|\u00fc \n", outcome="")
    assert listener.recv(1000) == b"crypto.venue.requests,venue=a_b_c_d____,outcome=_:1|c"


@pytest.mark.parametrize(
    ("send", "labels"),
    [
        (lambda **labels: emit.count("crypto.no.such", **labels), {}),
        (lambda **labels: emit.count("crypto.ingest.rows", **labels), {"dataset": "candle"}),
        (lambda **labels: emit.count("crypto.feature.rows", **labels), {"result": "new", "more": 1}),
        (lambda **labels: emit.timing("crypto.feature.rows", 1, **labels), {"result": "new"}),
        (lambda **labels: emit.count("crypto.sentiment.newest_timestamp_seconds", **labels), {}),  # of the database
    ],
)
def test_the_undeclared_raises_even_where_nothing_listens(send, labels) -> None:
    with pytest.raises(UndeclaredMetricError):
        send(**labels)


def test_a_counter_cannot_fall_and_zero_is_silent(listener: socket.socket) -> None:
    with pytest.raises(ValueError, match="cannot fall"):
        emit.count("crypto.feature.rows", -1, result="new")
    listener.setblocking(False)
    emit.count("crypto.feature.rows", 0, result="new")
    with pytest.raises(BlockingIOError):
        listener.recv(1000)


def test_an_unknown_host_only_warns(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("STATSD_HOST", "no-such-host.invalid")
    emit.count("crypto.feature.rows", 3, result="new")
    emit.count("crypto.feature.rows", 3, result="new")
    assert caplog.text.count("no metrics are sent") == 1


def test_nobody_listening_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("STATSD_HOST", "127.0.0.1")
    monkeypatch.setenv("STATSD_PORT", str(port))
    for _ in range(3):  # the refusal of one packet shows up at the next
        emit.count("crypto.feature.rows", 3, result="new")


def test_every_emitted_metric_arrives_under_its_prometheus_name(listener: socket.socket) -> None:
    receiver = receiver_of_the_committed_mapping()
    send = {"counter": emit.count, "timer": emit.timing}
    with receiver:
        for metric in EMITTED:
            send[metric.type](metric.name, 1, **dict.fromkeys(metric.labels, "x"))
            receiver.feed(listener.recv(1000))
        page = receiver.page()
    prometheus_type = {"counter": "counter", "timer": "histogram"}
    for metric in EMITTED:
        assert f"# TYPE {metric.prometheus_name} {prometheus_type[metric.type]}\n" in page


def test_counters_are_born_at_zero_and_declaring_them_again_changes_none(listener: socket.socket) -> None:
    born = [("crypto.feature.rows", {"result": "new"})]
    emit.declare(born)
    packet = listener.recv(1000)
    assert packet == b"crypto.feature.rows,result=new:0|c"
    assert list(emit.zeros(born)) == [packet]
    with receiver_of_the_committed_mapping() as receiver:
        receiver.feed(packet)
        assert '\ncrypto_feature_rows_total{result="new"} 0\n' in receiver.page()
        receiver.feed(b"crypto.feature.rows,result=new:3|c")
        receiver.feed(packet)
        assert '\ncrypto_feature_rows_total{result="new"} 3\n' in receiver.page()


def receiver_of_the_committed_mapping() -> Receiver:
    mapping = load_mapping(MAPPING)
    return Receiver(mapping, host="127.0.0.1", statsd_port=0, http_port=0, max_series=100, monotonic=lambda: 0.0)


def test_names_say_area_noun_and_unit() -> None:
    for metric in REGISTRY.values():
        prefix, area, noun = metric.name.split(".")
        assert prefix == "crypto"
        assert area.isalpha()
        assert noun.replace("_", "").isalpha()
        assert metric.help.endswith(".")
        assert len(metric.name) < 100
