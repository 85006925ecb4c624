"""One whole stack for the session: a real scheduler, a real PostgreSQL, the demo run through them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow.running import ROOT, RunningStack, free_ports


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """test_demo.py last: it ends by killing the stack."""
    items.sort(key=lambda item: item.path == Path(__file__).with_name("test_demo.py"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The demo, run once and left up: on recorded data where they are, else on the synthetic world."""
    folder = tmp_path_factory.mktemp("a stack with spaces")
    data = Path(os.environ.get("MARKET_DATA_DIR") or ROOT.parent / "shared" / "data").absolute()
    environ = {**os.environ, **free_ports(), "STACK_VAR": str(folder / "var"), "PYTHONUNBUFFERED": "1"}
    environ.pop("MARKET_DATA_DIR", None)
    recorded = (data / "binance" / "klines_1h").is_dir()
    if recorded:
        environ["MARKET_DATA_DIR"] = str(data)
    running = RunningStack(environ, "recorded" if recorded else "synthetic", folder / "demo.log")
    running.start_demo()
    yield running
    running.stop()
