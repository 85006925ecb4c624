"""The audit of dependencies: it finds what the service knows, and never takes silence for a clean bill."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.audit_dependencies import (
    CLEAN,
    KNOWN_TO_BE_VULNERABLE,
    LOCK,
    NOT_AUDITED,
    VULNERABLE,
    main,
    pins,
)

CONTROL = KNOWN_TO_BE_VULNERABLE.replace("==", " ")
LOCKED = """\
harmless==1.2.3 \\
    --hash=sha256:00
leaky==0.9 ; python_version < '4' \\
    --hash=sha256:11
elsewhere==1.0 ; sys_platform == 'no-such-system' \\
    --hash=sha256:22
"""


def advisory(package: str, number: str, fixed: str) -> dict[str, object]:
    """A vulnerability as https://ossf.github.io/osv-schema/ describes it."""
    events = [{"introduced": "0"}, {"fixed": fixed}]
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    return {
        "id": number,
        "summary": "planted",
        "details": "planted",
        "aliases": [],
        "published": "2024-01-01T00:00:00Z",
        "modified": "2024-01-01T00:00:00Z",
        "affected": [{"package": {"name": package, "ecosystem": "PyPI"}, "ranges": ranges}],
    }


class Service(ThreadingHTTPServer):
    """Answers POST /v1/query as OSV does: `{}` for what it knows nothing of."""

    def __init__(self, known: dict[str, dict[str, object]], status: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.known, self.status = known, status
        self.asked: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert question["package"]["ecosystem"] == "PyPI"
        name = f"{question['package']['name']} {question['version']}"
        self.server.asked.append(name)
        found = self.server.known.get(name)
        body = json.dumps({"vulns": [found]} if found else {}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def service(known: dict[str, dict[str, object]], status: int = 200) -> Iterator[tuple[Service, str]]:
    server = Service(known, status)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(LOCKED)
    return path


def test_a_planted_vulnerability_fails(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = {CONTROL: advisory("jinja2", "GHSA-control", "2.11.3"), "leaky 0.9": advisory("leaky", "GHSA-leak", "1.0")}
    with service(known) as (server, url):
        assert main(["--lock", str(lock), "--service", "osv", "--url", url]) == VULNERABLE
    assert "leaky 0.9: GHSA-leak, mended in 1.0" in capsys.readouterr().out
    assert sorted(server.asked) == ["harmless 1.2.3", CONTROL, "leaky 0.9"]


def test_a_service_that_knows_of_vulnerabilities_but_of_none_here_is_a_clean_bill(lock: Path) -> None:
    with service({CONTROL: advisory("jinja2", "GHSA-control", "2.11.3")}) as (_, url):
        assert main(["--lock", str(lock), "--service", "osv", "--url", url]) == CLEAN


@pytest.mark.parametrize(
    ("status", "reason"), [(200, "knows no vulnerability of jinja2==2.4.1"), (503, "does not answer")]
)
def test_silence_is_no_clean_bill(lock: Path, capsys: pytest.CaptureFixture[str], status: int, reason: str) -> None:
    with service({}, status) as (server, url):
        assert main(["--lock", str(lock), "--service", "osv", "--url", url]) == NOT_AUDITED
    said = capsys.readouterr().out
    assert said.startswith("NOT AUDITED: ")
    assert reason in said
    assert server.asked == [CONTROL], "what nobody can answer is not asked 200 times"


def test_every_line_of_the_lock_is_read() -> None:
    text = LOCK.read_text()
    assert len(pins(text)) == sum("==" in line and not line.startswith(" ") for line in text.splitlines())
    assert len(pins(text)) > 150


@pytest.mark.timeout(300)
def test_what_is_locked_has_no_known_vulnerability(capsys: pytest.CaptureFixture[str]) -> None:
    status = main([])
    said = capsys.readouterr().out.strip()
    if status == NOT_AUDITED:
        pytest.skip(said)
    assert status == CLEAN, said
