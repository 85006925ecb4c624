"""Packets that arrive while somebody else holds the receiver up: they wait, in bounded memory."""

from __future__ import annotations

import socket
import time

import pytest

from include.metrics.receiver import server
from include.metrics.receiver.mapping import Mapping, Target
from include.metrics.receiver.server import Receiver

LINE = b"a.counter:1|c"


def receiver() -> Receiver:
    mapping = Mapping([], Target("unmapped", "", (), "", 0.0, ()))
    return Receiver(mapping, host="127.0.0.1", statsd_port=0, http_port=0, max_series=9, monotonic=lambda: 0.0)


def send(port: int, number: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for sent in range(number):
            sender.sendto(LINE, ("127.0.0.1", port))
            if sent % 100 == 0:
                time.sleep(0.005)  # no faster than the kernel's smallest buffer is emptied


def value(page: str, name: str) -> int:
    return int(next(line.split()[1] for line in page.splitlines() if line.startswith(f"{name} ")))


def when_settled(receiving: Receiver, packets: int) -> str:
    """The page once all packets are accounted for."""
    deadline = time.monotonic() + 20
    while True:
        page = receiving.page()
        taken = value(page, "statsd_exporter_udp_packets_total") + value(page, "statsd_exporter_udp_packet_drops_total")
        if taken == packets:
            return page
        assert time.monotonic() < deadline, page
        time.sleep(0.02)


def test_packets_wait_while_a_page_is_made() -> None:
    with receiver() as receiving:
        with receiving._lock:  # a page that takes long
            send(receiving.statsd_port, 3000)
            time.sleep(0.1)
        assert value(when_settled(receiving, 3000), "a_counter") == 3000


def test_what_may_wait_is_bounded_and_what_is_dropped_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LARGEST_BACKLOG_BYTES", 50 * len(LINE))
    with receiver() as receiving:
        with receiving._lock:
            send(receiving.statsd_port, 60)
            time.sleep(0.1)
            assert receiving._backlog.qsize() <= 51
        page = when_settled(receiving, 60)
    dropped = value(page, "statsd_exporter_udp_packet_drops_total")
    assert 1 <= dropped <= 10
    assert value(page, "a_counter") == 60 - dropped


def test_what_had_arrived_when_it_ends_is_worked_off() -> None:
    with receiver() as receiving, receiving._lock:
        send(receiving.statsd_port, 500)
        time.sleep(0.2)
    assert value(receiving.page(), "a_counter") == 500
