"""The transport against a real HTTP server of this test."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from include.venues.errors import UnavailableError, VenueError
from include.venues.http import RequestsTransport, Response, Retry, fetch, world


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if path.path == "/base/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"[1,")
            return
        if path.path == "/base/drop":
            return
        if path.path == "/base/slow":
            self.server.released.wait(5)  # type: ignore[attr-defined]
            return
        body = f"{self.headers['User-Agent']}|{self.headers['X-Key']}|{parse_qs(path.query)}".encode()
        self.send_response(429 if path.path == "/base/limited" else 200)
        self.send_header("retry-after", "7")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.released = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/base/"
    server.released.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_a_sessions_user_that_may_be_a_key_is_hidden_like_its_password_and_a_word_is_not(base_url: str) -> None:
    session = requests.Session()
    for user, shown in (("sk1live/9", "***"), ("anonymous", "anonymous")):
        session.auth = (user, "pass-word")
        answer = RequestsTransport(base_url, session).get("/fine", {"q": f"{user} pass-word"})
        assert answer.body.decode().endswith(f"{{'q': ['{shown} ***']}}")
        assert answer.url == f"{base_url}fine?q={shown}+***"


@pytest.mark.parametrize("session", [None, requests.Session()])
def test_a_request_names_us_and_carries_parameters_and_headers(base_url: str, session: requests.Session | None) -> None:
    answer = RequestsTransport(base_url, session).get("/fine", {"symbols": '["A","B"]', "limit": 3}, {"X-Key": "k"})
    assert answer.status == 200
    assert answer.body.decode() == (
        "crypto-market-airflow/0.1 (market data pipeline)|k|{'symbols': ['[\"A\",\"B\"]'], 'limit': ['3']}"
    )
    assert answer.url == f"{base_url}fine?symbols=%5B%22A%22%2C%22B%22%5D&limit=3"


def test_an_answer_of_any_status_is_an_answer_and_headers_ignore_case(base_url: str) -> None:
    answer = RequestsTransport(base_url).get("limited")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize("path", ["/cut", "/drop", "/slow"])
def test_no_whole_answer_means_unavailable(base_url: str, path: str) -> None:
    with pytest.raises(UnavailableError, match=f"no answer from {path}"):
        RequestsTransport(base_url, read_timeout=0.2).get(path)


def test_nobody_listening_means_unavailable() -> None:
    with pytest.raises(UnavailableError):
        RequestsTransport("http://127.0.0.1:1").get("/x")


def test_only_an_unavailable_venue_is_asked_again(
    scripted: type, answer: Callable[..., Response], retry: Retry, waits: list[float]
) -> None:
    transport = scripted(UnavailableError("v", "down"), answer([1]))
    assert fetch("binance", transport, "/x", None, lambda response: response.body, retry=retry) == b"[1]"
    assert len(waits) == 1

    transport = scripted(VenueError("v", "no"), answer([1]))
    with pytest.raises(VenueError, match="no"):
        fetch("binance", transport, "/x", None, lambda response: response.body, retry=retry)
    assert len(transport.requests) == 1


def test_a_venue_that_stays_down_is_given_up(scripted: type, retry: Retry, waits: list[float]) -> None:
    transport = scripted(UnavailableError("v", "down"))
    with pytest.raises(UnavailableError, match="down"):
        fetch("binance", transport, "/x", None, lambda response: response.body, retry=retry)
    assert len(transport.requests) == 3
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({}, "live"), ({"x-replay-world": "recorded"}, "recorded"), ({"X-Replay-World": "synthetic"}, "synthetic")],
)
def test_an_answer_says_which_world_it_comes_from(
    answer: Callable[..., Response], headers: dict[str, str], expected: str
) -> None:
    assert world(answer([], headers=headers)) == expected


def test_a_world_nobody_knows_is_an_error(answer: Callable[..., Response]) -> None:
    with pytest.raises(VenueError, match="unknown world 'mars'"):
        world(answer([], headers={"X-Replay-World": "mars"}))
