"""The data API of a running stack, attacked: it keeps the contract it publishes, and tells nobody more than that."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests

from include.api.headers import DATA
from include.stack.credentials import AIRFLOW_USERS, load_or_create
from tests.airflow.running import ROOT, RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]
MACHINERY = ("/api/v1/budgets", "/api/v1/quarantine")
MAY_SEE_MACHINERY = ("admin", "op")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
GOOD = {"venue": "binance", "symbol": "BTC/USDT", "timeframe": "1h", "horizon": "PT24H", "crypto": "BTC"}
ATTACKS = (
    "' or '1'='1",
    "BTC'; drop table market.candle; --%(limit)s{{ 7 * 7 }}",
    "1; select pg_sleep(9) --",
)
LONGEST_SECONDS = 6  # the statement timeout is 5


class Api:
    """The data API as one user, or as nobody."""

    def __init__(self, stack: RunningStack, user: str | None) -> None:
        self.base = f"http://127.0.0.1:{stack.ports.airflow}/market"
        self.session = requests.Session()
        if user:
            given = {"username": user, "password": load_or_create(stack.layout.credentials)[0].airflow_users()[user]}
            token = self.session.post(f"http://127.0.0.1:{stack.ports.airflow}/auth/token", json=given, timeout=60)
            self.session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

    def ask(self, path: str, method: str = "GET", **params: Any) -> requests.Response:
        return self.session.request(method, self.base + path, params=params, timeout=60, allow_redirects=False)

    def described(self) -> dict[str, dict[str, Any]]:
        """The GET of each path of the OpenAPI document."""
        paths = self.ask("/api/v1/openapi.json").json()["paths"]
        assert len(paths) > 20
        return {path: methods["get"] for path, methods in paths.items()}


@pytest.fixture(scope="module")
def viewer(stack: RunningStack) -> Api:
    return Api(stack, "viewer")


# The contract -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("user", "chosen"), [("viewer", "."), ("op", "|".join(MACHINERY))])
def test_schemathesis_finds_no_breach(stack: RunningStack, tmp_path: Path, user: str, chosen: str) -> None:
    """positive_data_acceptance is left out: a cursor is of the answer before, which no schema can say."""
    api = Api(stack, user)
    expected = [path for path in api.described() if re.search(chosen, path)]
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(f'[headers]\nAuthorization = "{api.session.headers["Authorization"]!s}"\n')
    configuration.chmod(0o600)
    command = [Path(sys.executable).parent / "schemathesis", "--config-file", configuration, "run"]
    command += [f"{api.base}/api/v1/openapi.json", "--include-path-regex", chosen, "--warnings", "off"]
    command += ["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--phases"]
    command += ["examples,coverage,fuzzing", "--max-examples", "5", "--generation-deterministic", "--workers", "2"]
    command += ["--request-timeout", "20", "--max-failures", "20"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    assert f"Tested: {len(expected)}\n" in done.stdout
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated
    assert int(generated[1]) > 50 * len(expected)


# Who may what -------------------------------------------------------------------------------------------------------


def test_nobody_gets_anything_by_any_method(stack: RunningStack, viewer: Api) -> None:
    nobody = Api(stack, None)
    known = [*viewer.described(), "/api/v1/openapi.json", "/api/v1/docs", "/rights"]
    files = ["/pages/market", "/static/base.css", "/static/api.js"]
    nowhere = ["/", "/api/v1/", "/api/v1/nothing", "/docs", "/openapi.json", "/pages/nothing", "/static/../app.py"]
    let_in = {}
    for path in [*known, *files, *nowhere]:
        for method in METHODS:
            answer = nobody.ask(path, method)
            if answer.status_code != 401 or "instance" not in (answer.text if method != "HEAD" else "instance"):
                let_in[f"{method} {path}"] = (answer.status_code, answer.text[:80])
    assert let_in == {}


@pytest.mark.parametrize("user", AIRFLOW_USERS)
def test_each_role_gets_what_its_rights_say(stack: RunningStack, user: str) -> None:
    api = Api(stack, user)
    may = user in MAY_SEE_MACHINERY
    assert api.ask("/rights").json() == {"user": user, "machinery": may}
    answered = {path: api.ask(path).status_code for path in MACHINERY}
    assert answered == dict.fromkeys(MACHINERY, 200 if may else 403)
    for path in ("/api/v1/instruments", "/api/v1/openapi.json", "/api/v1/docs", "/pages/market"):
        assert api.ask(path).status_code == 200, path
    refused = {method: api.ask("/api/v1/instruments", method).status_code for method in METHODS if method != "GET"}
    assert set(refused.values()) == {405}


def test_answers_forbid_a_browser_to_make_anything_of_them(viewer: Api) -> None:
    for path in ("/api/v1/instruments", "/api/v1/nothing", "/api/v1/openapi.json"):
        headers = viewer.ask(path).headers
        assert {name: headers.get(name) for name in DATA} == DATA, path
    page = viewer.ask("/pages/market").headers
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in page["Content-Security-Policy"]


def test_a_file_the_browser_has_is_not_sent_again(viewer: Api) -> None:
    for path in ("/pages/market", "/static/api.js"):
        etag = viewer.ask(path).headers["ETag"]
        url = viewer.base + path
        again = viewer.session.get(url, headers={"If-None-Match": etag}, timeout=60)
        assert (again.status_code, again.content) == (304, b"")
        assert viewer.session.get(url, headers={"If-None-Match": '"another"'}, timeout=60).status_code == 200


# Abuse --------------------------------------------------------------------------------------------------------------


def test_no_text_gets_into_the_database_as_more_than_a_value(stack: RunningStack, viewer: Api) -> None:
    with stack.warehouse() as warehouse:
        before = warehouse.execute("select count(*) > 1000 from market.candle").fetchone()
    tried, wrong = 0, {}
    for path, asked in viewer.described().items():
        parameters = {each["name"]: each for each in asked.get("parameters", [])}
        good = {name: GOOD[name] for name, each in parameters.items() if each["required"] and name in GOOD}
        for name in parameters:
            for attack in ATTACKS:
                tried += 1
                answer = viewer.ask(path, **{**good, name: attack})
                refused = answer.status_code in (403, 404, 422) and answer.elapsed.total_seconds() < LONGEST_SECONDS
                if not refused or "SCRAM" in answer.text or "syntax" in answer.text:
                    wrong[f"{path} {name}={attack}"] = (answer.status_code, answer.text[:200])
    assert wrong == {}
    assert tried > 200
    with stack.warehouse() as warehouse:
        assert warehouse.execute("select count(*) > 1000 from market.candle").fetchone() == before == (True,)


def test_the_widest_windows_stay_bounded_in_rows_and_time(viewer: Api) -> None:
    tried = 0
    for path, asked in viewer.described().items():
        names = {each["name"]: each for each in asked.get("parameters", [])}
        if "from" not in names:
            continue
        tried += 1
        good = {name: GOOD[name] for name in names if name in GOOD}
        widest = {"from": "2009-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "untrusted": "true"}
        most = {"limit": 10_000} if "limit" in names else {}
        began = monotonic()
        answer = viewer.ask(path, **good, **widest, **most)
        assert answer.status_code in (200, 403, 422), (path, answer.text[:300])
        assert monotonic() - began < LONGEST_SECONDS, path
        if answer.status_code == 200:
            assert len(answer.json()["data"]) <= 10_000, path
        too_many = viewer.ask(path, **good, limit=10_001)
        assert too_many.status_code in (403, 422), path
    assert tried >= 8


def test_what_is_written_nowhere_is_told_to_nobody(stack: RunningStack) -> None:
    """No file of the package but the pages' own, however its path is spelled."""
    api = Api(stack, "admin")
    for path in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/",
    ):
        answer = api.session.send(requests.Request("GET", api.base + path, headers=dict(api.session.headers)).prepare())
        assert answer.status_code == 404, path
        assert "FastAPI" not in answer.text
    for name in ("../views", "..%2fviews", "docs", "market.html"):
        assert api.ask(f"/pages/{name}").status_code == 404, name
    assert (ROOT / "plugins/crypto_market/ui/app.py").exists()
