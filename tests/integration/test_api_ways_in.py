"""Nobody learns anything: not which paths there are, not how they are asked; somebody learns both. No warehouse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import APIRouter, Header, HTTPException
from fastapi.testclient import TestClient

from include.api.access import Access
from include.api.app import create_app
from include.api.headers import DATA
from include.api.warehouse import Warehouse
from include.clock import SystemClock

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X-UNHEARD-OF")
PATHS = (
    "/api/v1/candles",
    "/api/v1/candles?venue=BAD&nonsense=1",
    "/api/v1/openapi.json",
    "/api/v1/docs",
    "/api/v1/",
    "/api/v1/nothing",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/pages/market",
    "/static/../app.py",
    "/",
    "//",
)


def named(role: str | None = Header(None, alias="x-role")) -> None:
    """Access for whoever names a role."""
    if role is None:
        raise HTTPException(401, "Not authenticated")


def broken() -> None:
    raise ZeroDivisionError("a fault of ours, with words for nobody")


def never_opened() -> str:
    raise ConnectionError("no question here is to reach the warehouse")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    beside = APIRouter(include_in_schema=False)
    beside.add_api_route("/beside", lambda: "there", methods=["GET", "POST"])
    beside.add_api_route("/broken", broken)
    app = create_app(Warehouse(never_opened, SystemClock), Access(named, named, named), [beside])
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as made:
        yield made


@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_refused_everywhere_in_the_same_words(client: TestClient, path: str) -> None:
    for method in METHODS:
        answer = client.request(method, path)
        assert (method, answer.status_code) == (method, 401)
        assert answer.headers["content-type"] == "application/problem+json"
        assert method == "HEAD" or answer.json()["detail"] == "Not authenticated"


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/api/v1/nothing", 404),
    ("POST", "/api/v1/nothing", 404),
    ("GET", "/openapi.json", 404),
    ("POST", "/api/v1/candles", 405),
    ("HEAD", "/api/v1/candles", 405),
    ("X-UNHEARD-OF", "/api/v1/openapi.json", 405),
])  # fmt: skip
def test_somebody_is_told_what_is_wrong(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, headers={"x-role": "reader"})
    assert answer.status_code == status
    assert answer.headers.get("allow") == ("GET" if status == 405 else None)


def test_every_way_to_ask_a_path_is_named(client: TestClient) -> None:
    assert client.put("/beside", headers={"x-role": "reader"}).headers["allow"] == "GET, POST"


def test_a_fault_is_told_without_its_words_and_as_safely_as_any_answer(client: TestClient) -> None:
    answer = client.get("/broken")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "words for nobody" not in answer.text
    assert {name: answer.headers[name] for name in DATA} == DATA


@pytest.mark.parametrize("role", [{}, {"x-role": "reader"}])
def test_every_answer_forbids_a_browser_to_make_anything_of_it(client: TestClient, role: dict[str, str]) -> None:
    for path in ("/api/v1/openapi.json", "/api/v1/candles?venue=BAD", "/api/v1/nothing"):
        headers = client.get(path, headers=role).headers
        assert {name: headers[name] for name in DATA} == DATA


def test_the_description_says_where_the_application_is(client: TestClient) -> None:
    mounted = TestClient(client.app, root_path="/airflow/market")
    described = mounted.get("/airflow/market/api/v1/openapi.json", headers={"x-role": "reader"}).json()
    assert described["servers"] == [{"url": "/airflow/market"}]
    assert set(described["paths"]["/api/v1/candles"]) == {"get"}
    assert not [path for path in described["paths"] if not path.startswith("/api/v1/")]
