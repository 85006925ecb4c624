"""Recognisable secrets are planted where real ones live; then everything a run leaves behind is searched for them."""

from __future__ import annotations

import json
import logging
import socket
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk._shared.secrets_masker import redact, reset_secrets_masker

from crypto_market.hooks.warehouse import warehouse as open_warehouse
from crypto_market.operators.snapshots import CoinSnapshotsToPostgresOperator
from include.cli import main
from include.metrics import emit
from include.stack.credentials import Credentials
from include.stack.postgres import PostgresCluster
from include.venues.coingecko import CoinGecko
from include.venues.errors import UnavailableError, VenueError
from include.venues.http import RequestsTransport, Retry
from include.warehouse.bootstrap import WarehouseDsns

KEY = "CG-planted-key-4711"
LOGIN = "planted/login 4711"  # as it is; a URL spells it otherwise
SPELT = "planted%2Flogin%204711"
PARAMETER = "planted-parameter-4711"
SECRETS = (KEY, LOGIN, SPELT, PARAMETER)
NOW = datetime(2024, 6, 1, 12, 2, tzinfo=UTC)


class Gossip(BaseHTTPRequestHandler):
    """A source that repeats all it was told, in an answer of the server's present kind."""

    server: Any

    def do_GET(self) -> None:
        if self.path == "/clock":
            return self.answer(200, json.dumps({"now": NOW.isoformat(), "speed": 0}))
        told = f"{self.path} {' '.join(self.headers.values())} {KEY} {LOGIN} {SPELT}"
        return self.answer(*self.server.answer(told))

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Silent."""


def coin(told: str) -> str:
    """Two coins, one of which cannot be read and is kept as it came."""
    good = {"id": "bitcoin", "current_price": 42, "last_updated": "2024-06-01T12:00:00.000Z"}
    return json.dumps([good, {"id": "ethereum", "current_price": told, "last_updated": told}])


ANSWERS: dict[str, Callable[[str], tuple[int, str]]] = {
    "a wrong key": lambda told: (401, json.dumps({"status": {"error_code": 10002, "error_message": told}})),
    "a wrong request": lambda told: (400, json.dumps({"error": told})),
    "a firewall": lambda told: (403, f"<html>{told}</html>"),
    "too many": lambda told: (429, told),
    "a closed country": lambda told: (451, told),
    "no JSON": lambda told: (404, told),
    "a row that cannot be read": lambda told: (200, coin(told)),
}


@pytest.fixture
def gossip() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Gossip)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def packets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """All that was sent as metrics."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        monkeypatch.setenv("STATSD_HOST", "127.0.0.1")
        monkeypatch.setenv("STATSD_PORT", str(receiver.getsockname()[1]))
        emit._client.cache_clear()

        def read() -> str:
            got = []
            while True:
                try:
                    got.append(receiver.recv(65536).decode())
                except BlockingIOError:
                    return "\n".join(got)

        yield read
        emit._client.cache_clear()


def base_url(port: int) -> str:
    return f"http://somebody:{SPELT}@127.0.0.1:{port}/api?x_cg_demo_api_key={PARAMETER}&rest="


def everything_in(dsn: str) -> str:
    """Every row of every table as text."""
    with psycopg.connect(dsn) as connection:
        names = connection.execute(
            "select format('%I.%I', n.nspname, c.relname) from pg_class as c inner join pg_namespace as n "
            "on c.relnamespace = n.oid where c.relkind = 'r' and n.nspname in ('market', 'ops', 'ml', 'mart')"
        ).fetchall()
        rows = [connection.execute(f"select t::text from {name} as t").fetchall() for (name,) in names]
    return "\n".join(str(row) for table in rows for row in table)


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_sources_key_is_nowhere_but_in_the_request(
    kind: str,
    gossip: Any,
    packets: Callable[[], str],
    warehouse: WarehouseDsns,
    airflow_at: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    gossip.answer = ANSWERS[kind]
    airflow_at("http://127.0.0.1:9")
    monkeypatch.setenv("MARKET_CLOCK_URL", f"http://127.0.0.1:{gossip.server_port}/clock")
    source = {"conn_type": "http", "host": base_url(gossip.server_port), "password": KEY}
    source["extra"] = {"tier": "demo", "limits": [[1000, 1]]}  # type: ignore[assignment]
    monkeypatch.setenv("AIRFLOW_CONN_COINGECKO", json.dumps(source))
    task = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=None, try_number=1)
    task.get_first_reschedule_date = lambda _: None
    context: Any = {"ti": task, "dag_run": SimpleNamespace(run_after=NOW), "params": {}}
    hour = NOW.replace(minute=0)
    context |= {"data_interval_start": hour - timedelta(hours=1), "data_interval_end": hour}
    operator = CoinSnapshotsToPostgresOperator(task_id="t", coins={"BTC": "bitcoin", "ETH": "ethereum"})
    context["task"] = operator
    left = ""
    with caplog.at_level(logging.INFO):
        try:
            left += str(operator.execute(context))
        except Exception as error:
            left += "".join(traceback.format_exception(error)) + repr(error) + repr(error.__cause__)
    stored = everything_in(warehouse.owner)
    assert "coingecko" in stored, "it came as far as the request"
    if kind == "a row that cannot be read":
        assert "snapshot of ethereum cannot be read" in stored, "and as far as the quarantine"
    said = capfd.readouterr()
    for place, text in {
        "result or error": left,
        "log": caplog.text,
        "output": said.out + said.err,
        "metrics": packets(),
        "database": stored,
    }.items():
        assert text or place in ("output", "log"), place
        assert [secret for secret in SECRETS if secret in text] == [], place


@pytest.mark.parametrize("status", [200, 500])
def test_a_broken_answer_and_none_at_all_show_no_secret(gossip: Any, status: int) -> None:
    gossip.answer = lambda told: (status, told)
    for port in (gossip.server_port, 9):
        transport = RequestsTransport(base_url(port))
        client = CoinGecko(transport, "demo", KEY, retry=Retry(attempts=1))
        with pytest.raises(UnavailableError) as raised:
            client.markets(["bitcoin"], NOW)
        shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
        assert [secret for secret in SECRETS if secret in shown] == []
        assert f"127.0.0.1:{port}/api" in shown or port == 9


def test_what_is_no_secret_is_shown_as_it_was(gossip: Any) -> None:
    gossip.answer = lambda told: (404, json.dumps({"error": "coin not found"}))
    client = CoinGecko(RequestsTransport(f"http://127.0.0.1:{gossip.server_port}"), "demo", KEY)
    with pytest.raises(VenueError, match=r"coin not found.*/coins/markets\?vs_currency=usd&ids=bitcoin&per_page=250"):
        client.markets(["bitcoin"], NOW)


def test_a_refused_warehouse_is_told_without_its_password(
    airflow_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import os

    airflow_at("http://127.0.0.1:9")
    given = json.loads(os.environ["AIRFLOW_CONN_WAREHOUSE"])
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({**given, "password": KEY}))
    with caplog.at_level(logging.DEBUG), pytest.raises(psycopg.OperationalError) as raised, open_warehouse():
        pass
    assert "password authentication failed" in str(raised.value)
    assert KEY not in "".join(traceback.format_exception(raised.value)) + caplog.text


@pytest.mark.parametrize("command", ["migrate", "backup", "coverage"])
def test_a_connection_string_that_cannot_be_read_is_not_repeated(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    broken = f"host=127.0.0.1 user=postgres password=two {KEY} words"
    for name in ("WAREHOUSE_SUPERUSER_DSN", "WAREHOUSE_DSN"):
        monkeypatch.setenv(name, broken)
    for role in ("OWNER", "WRITER", "READER"):
        monkeypatch.setenv(f"WAREHOUSE_{role}_PASSWORD", KEY)
    monkeypatch.setenv("MONITOR_PASSWORD", KEY)
    monkeypatch.setenv("BACKUP_FOLDER", str(tmp_path))
    assert main([command]) != 0
    said = capsys.readouterr()
    assert "is no connection string" in said.err
    assert KEY not in said.err + said.out


def test_airflow_masks_what_a_connection_of_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    reset_secrets_masker()
    text = f"somebody logs {KEY}"
    assert redact(text) == text, "not a secret yet"
    fields = {"conn_type": "http", "host": "http://127.0.0.1", "password": KEY, "extra": {"api_key": PARAMETER}}
    monkeypatch.setenv("AIRFLOW_CONN_COINGECKO", json.dumps(fields))
    HttpHook.get_connection("coingecko")
    assert redact(text) == "somebody logs ***"
    assert PARAMETER not in str(redact(f"{PARAMETER} in a sentence"))
    reset_secrets_masker()


def test_nothing_that_holds_passwords_shows_them(cluster: PostgresCluster, warehouse: WarehouseDsns) -> None:
    credentials = Credentials()
    secrets = [getattr(credentials, name) for name in Credentials.__slots__]
    assert [secret for secret in secrets if secret in repr(credentials)] == []
    assert cluster.password not in repr(cluster)
    passwords = [psycopg.conninfo.conninfo_to_dict(dsn)["password"] for dsn in warehouse]
    assert [password for password in passwords if str(password) in f"{warehouse!r} {warehouse}"] == []
