"""The client for notebooks through Airflow's own login, on the stack that ran the demo."""

from __future__ import annotations

import pytest

from include.client import Client, ForbiddenError, NotLoggedInError
from include.stack.credentials import load_or_create
from tests.airflow.running import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]


def client(stack: RunningStack, user: str) -> Client:
    credentials, _ = load_or_create(stack.layout.credentials)
    return Client(f"http://127.0.0.1:{stack.ports.airflow}", user, credentials.airflow_users()[user])


def test_a_viewer_reads_what_the_warehouse_holds(stack: RunningStack) -> None:
    found = client(stack, "viewer").candles("binance", "BTC/USDT", start="2009-01-01", exact=True, untrusted=True)
    with stack.warehouse("warehouse_reader") as connection:
        stored = connection.execute(
            "select opened_at, close from ohlcv where (venue, symbol, timeframe) = ('binance', 'BTC/USDT', '1h') "
            "and opened_at <= %s order by opened_at",
            (found["opened_at"].iloc[-1].to_pydatetime(),),
        ).fetchall()
    assert len(stored) > 100
    assert list(zip(found["opened_at"], found["close"], strict=True)) == stored
    assert found.attrs["trust"]["world"] == stack.world


def test_airflows_rights_count_and_its_login(stack: RunningStack) -> None:
    assert len(client(stack, "op").ask("budgets", untrusted=True)) > 0
    with pytest.raises(ForbiddenError):
        client(stack, "viewer").ask("budgets")
    with pytest.raises(NotLoggedInError, match="the login of viewer"):
        Client(f"http://127.0.0.1:{stack.ports.airflow}", "viewer", "not the password").models()
