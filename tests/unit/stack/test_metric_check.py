"""What the demo says of metrics that came, that are missing, and that could not have come yet."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from include.metrics.airflow_series import AIRFLOW_SERIES
from include.metrics.registry import REGISTRY
from include.stack.layout import Layout, Ports, StackError
from include.stack.metric_check import ONLY_WHEN, await_metrics, found, metrics_of_stack, names_on_page
from tests.airflow.running import free_ports

TIMERS = {m.prometheus_name for m in REGISTRY.values() if m.type == "timer"} | {
    s.name for s in AIRFLOW_SERIES.values() if s.type == "timer"
}
KNOWN = {m.prometheus_name for m in REGISTRY.values()} | AIRFLOW_SERIES.keys()


def samples(*without: str) -> set[str]:
    """Names of samples of every metric but these."""
    return {f"{name}_count" if name in TIMERS else name for name in KNOWN - set(without)}


def test_everything_there_is_counted_apart() -> None:
    verdict = found(samples())
    assert verdict.is_complete
    ours, airflows = len(REGISTRY), len(AIRFLOW_SERIES)
    expected = f"metrics: {ours} of {ours} of our own and {airflows} of {airflows} of Airflow's have samples (here)"
    assert verdict.lines("here") == [expected]


def test_a_missing_metric_is_named_and_fails() -> None:
    verdict = found(samples("crypto_ingest_rows_total", "airflow_pool_open_slots"))
    assert not verdict.is_complete
    assert verdict.missing == ("airflow_pool_open_slots", "crypto_ingest_rows_total")
    first, last = verdict.lines("here")
    assert f"{len(REGISTRY) - 1} of {len(REGISTRY)} of our own" in first
    assert last == "  MISSING: airflow_pool_open_slots, crypto_ingest_rows_total"


def test_a_timer_needs_an_observation() -> None:
    timer = "crypto_venue_request_seconds"
    assert found({*samples(timer), f"{timer}_bucket"}).missing == (timer,)


def test_what_cannot_be_yet_is_counted_apart_with_its_reason() -> None:
    verdict = found(samples(*ONLY_WHEN))
    assert verdict.is_complete
    first, second = verdict.lines("here")
    ours = len(REGISTRY) - sum(name.startswith("crypto_") for name in ONLY_WHEN)
    assert f"{ours} of {ours} of our own" in first
    assert second.startswith(f"  {len(ONLY_WHEN)} more come once: ")
    assert all(f"{name} ({reason})" in second for name, reason in ONLY_WHEN.items())


def test_what_came_after_all_is_no_exception() -> None:
    name = "crypto_forecast_skill_ratio"
    assert name in found(samples()).ours
    assert name not in found(samples(*(ONLY_WHEN.keys() - {name}))).not_yet


def test_the_exceptions_are_few_known_and_no_counters() -> None:
    counters = {m.prometheus_name for m in REGISTRY.values() if m.type == "counter"}
    counters |= {s.name for s in AIRFLOW_SERIES.values() if s.type == "counter"}
    assert ONLY_WHEN.keys() <= KNOWN
    assert not ONLY_WHEN.keys() & counters, "a counter is born at zero"
    assert len(ONLY_WHEN) <= 8


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_late_sample_is_waited_for() -> None:
    clock, given = Clock(), iter([set(), samples("crypto_facts_up"), samples()])
    assert await_metrics(lambda: next(given), clock.monotonic, clock.sleep).is_complete
    assert 0 < clock.now < 10


def test_patience_ends() -> None:
    clock = Clock()
    verdict = await_metrics(lambda: samples("crypto_facts_up"), clock.monotonic, clock.sleep, 30)
    assert verdict.missing == ("crypto_facts_up",)
    assert 30 <= clock.now < 40


def test_nobody_who_answers_is_an_error_that_says_so() -> None:
    clock = Clock()

    def names() -> set[str]:
        raise ConnectionRefusedError("nobody listens")

    with pytest.raises(StackError, match="cannot be read: nobody listens"):
        await_metrics(names, clock.monotonic, clock.sleep, 30)


def test_names_are_read_from_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.write_text('# HELP a_total text\n# TYPE a_total counter\na_total{x="1"} 2\nb 3\nc_bucket{le="+Inf"} 1\n\n')
    assert names_on_page(page.as_uri()) == {"a_total", "b", "c_bucket"}


@pytest.fixture
def page_port() -> Iterator[int]:
    """A metrics page that has a sample of every metric but those that come later."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = "".join(f'{name}{{venue="kraken"}} 0\n' for name in samples(*ONLY_WHEN)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "var", "recorded")
    layout.make()
    return layout


def test_without_prometheus_the_page_is_read(layout: Layout, page_port: int) -> None:
    verdict, where = metrics_of_stack(layout, replace(Ports(), metrics=page_port), time.time())
    assert verdict.is_complete
    assert set(verdict.not_yet) == ONLY_WHEN.keys()
    assert where == f"the page http://127.0.0.1:{page_port}/metrics"


@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed (Debian: prometheus)")
def test_with_prometheus_its_samples_count(layout: Layout, page_port: int) -> None:
    port = int(free_ports()["PROMETHEUS_PORT"])
    job = {"job_name": "airflow", "static_configs": [{"targets": [f"127.0.0.1:{page_port}"]}]}
    layout.prometheus_configuration.write_text(
        yaml.safe_dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]})
    )
    arguments = [f"--config.file={layout.prometheus_configuration}", f"--storage.tsdb.path={layout.prometheus_data}"]
    with (layout.logs / "prometheus.log").open("wb") as log:
        prometheus = subprocess.Popen(
            ["prometheus", *arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log
        )
    try:
        verdict, where = metrics_of_stack(layout, replace(Ports(), metrics=1, prometheus=port), time.time())
    finally:
        prometheus.terminate()
        prometheus.wait(20)
    assert verdict.is_complete, verdict.missing
    assert set(verdict.not_yet) == ONLY_WHEN.keys()
    assert where == f"Prometheus at http://127.0.0.1:{port}"
