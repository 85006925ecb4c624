"""The arithmetic and the bounds of the data API's benchmark."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import requests

from benchmarks.api.bare import PATH, bare
from benchmarks.api.load import Call, Sample, load, quantile, server_seconds
from benchmarks.data_api import HOURS_OF_A_YEAR, calls, in_rounds, judged, table, year_of_hours

ANSWER_SECONDS = 0.005


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    """Answers /ok after 5 ms, saying 4 of them were the server's, and everything else by 503."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(ANSWER_SECONDS)
            self.send_response(200 if self.path == "/ok" else 503)
            self.send_header("Server-Timing", "database;dur=3.0, total;dur=4.0")
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"yes")

        def log_message(self, format: str, *arguments: object) -> None:
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def call(server: ThreadingHTTPServer, path: str = "/ok") -> Call:
    return Call(path, "127.0.0.1", server.server_port, path)


@pytest.mark.parametrize("size", [1, 2, 19, 20, 21, 100])
def test_a_quantile_is_numpys_of_nearest_rank(size: int) -> None:
    values = np.random.default_rng(size).permutation(size).astype(float)
    for share in (0.05, 0.5, 0.95, 1.0):
        assert quantile(values.tolist(), share) == np.quantile(values, share, method="inverted_cdf")
    with pytest.raises(ValueError, match="no value"):
        quantile([], 0.5)


def test_the_servers_time_is_the_total_of_its_header() -> None:
    assert server_seconds("database;dur=3.0, total;dur=12.5") == 0.0125
    assert server_seconds("subtotal;dur=3.0") is None
    assert server_seconds(None) is None


def test_a_load_ends_after_so_many_questions(server: ThreadingHTTPServer) -> None:
    sample = load(call(server), askers=3, most=20, seconds=30)
    assert (len(sample.seconds), sample.failed, sample.size) == (20, [], 3)
    assert sample.server == [0.004] * 20
    assert min(sample.seconds) >= ANSWER_SECONDS
    assert sample.took >= 7 * ANSWER_SECONDS  # the one of three that asked most
    assert sample.rate == pytest.approx(20 / sample.took)


def test_a_load_ends_after_so_long(server: ThreadingHTTPServer) -> None:
    sample = load(call(server), askers=2, most=10**6, seconds=0.2)
    assert 0.2 <= sample.took < 5
    assert 0 < len(sample.seconds) <= 2 * (0.2 / ANSWER_SECONDS + 1)


def test_what_is_not_answered_is_counted_apart(server: ThreadingHTTPServer) -> None:
    refused = load(call(server, "/refused"), askers=2, most=4, seconds=30)
    assert (refused.failed, refused.seconds, refused.server, refused.rate) == (["503"] * 4, [], [], 0)
    away = load(Call("away", "127.0.0.1", 1, "/"), askers=1, most=2, seconds=30)
    assert away.failed == ["ConnectionRefusedError"] * 2


def test_rounds_add_up_and_the_warm_up_is_not_counted(server: ThreadingHTTPServer) -> None:
    found = in_rounds([call(server), call(server, "/refused")], askers=2, most=20, seconds=60)
    assert len(found["/ok"].seconds) == 20
    assert len(found["/refused"].failed) == 20
    assert found["/ok"].rate == pytest.approx(20 / found["/ok"].took)


def test_the_table_holds_each_call_to_the_yardstick() -> None:
    bare_one = Sample([0.001] * 19 + [0.002], [], [], took=0.02, size=22)
    ours = Sample([0.004] * 10 + [0.008] * 10, [0.003] * 20, [], took=0.1, size=2500)
    lines = [line.split() for line in table({"bare": bare_one, "ours": ours, "none": Sample(failed=["500"])})]
    assert lines[1] == ["bare", "20", "1.0", "1.0", "1.0", "1000", "-", "0.0"]
    assert lines[2] == ["ours", "20", "4.0", "8.0", "8.0", "200", "3.0", "2.5"]
    assert lines[3] == ["none", "0", "-", "-", "-", "-", "-", "-"]


@pytest.mark.parametrize(
    ("slow", "hours", "missed"),
    [(5, HOURS_OF_A_YEAR, False), (6, HOURS_OF_A_YEAR, True), (0, HOURS_OF_A_YEAR - 1, True)],
)
def test_a_year_is_judged_by_95_of_100_and_by_being_one(slow: int, hours: int, missed: bool) -> None:
    server = [0.05] * (100 - slow) + [0.1] * slow
    assert judged(Sample(list(server), server, took=1), hours)[1] is missed
    assert judged(Sample([0.01], [], took=1), hours)[1] is True


def test_the_calls_ask_for_a_year_of_hours() -> None:
    end = datetime(2024, 12, 31, 23, tzinfo=UTC)
    year = year_of_hours(8080, "a token", "binance:BTC/USDT", end)
    asked = parse_qs(urlsplit(year.path).query)
    assert (asked["from"], asked["to"]) == (["2024-01-01T23:00:00+00:00"], ["2024-12-31T23:00:00+00:00"])
    assert (asked["venue"], asked["symbol"], asked["limit"]) == (["binance"], ["BTC/USDT"], ["10000"])
    assert len({each.name for each in calls(8080, "a token", "binance:BTC/USDT", end)}) == 5


def test_the_yardstick_returns_its_constant() -> None:
    with bare() as port:
        answer = requests.get(f"http://127.0.0.1:{port}{PATH}", timeout=10)
    assert answer.json() == {"verdict": "answered"}
