"""What tasks import is there before they are forked, and nothing of it would be lost by a fork."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from include.stack.layout import ROOT

# Every module a task may import, after the preload; `without` plants the fault of a forgotten library.
IMPORT_ALL = """
import importlib, json, pkgutil, sys, threading
import airflow.jobs.scheduler_job_runner
without = sys.argv[1]
really = importlib.import_module
importlib.import_module = lambda name, package=None: None if name == without else really(name, package)
import include.preload
importlib.import_module = really
threads, early = threading.active_count(), set(sys.modules)
packages = ["crypto_market.operators", "crypto_market.hooks"] + ["include." + name for name in sys.argv[2:]]
for package in map(really, packages):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        really(module.name)
late = {name.split(".")[0] for name in set(sys.modules) - early} - {"include", "crypto_market"}
print(json.dumps([threads, sorted(late - set(sys.stdlib_module_names))]))
"""
OF_TASKS = [
    *("candles", "collect", "config", "coverage", "features", "features_check", "forecasting", "indicators"),
    *("maintenance", "metrics", "politeness", "reconcile", "transforms", "venues", "warehouse"),
]
FORKED = """
import pathlib
from crypto_market.executor import PreloadedLocalExecutor
executor = PreloadedLocalExecutor(parallelism=1)
executor.start()
(pid,) = executor.workers
loaded = "pandas/_libs" in pathlib.Path(f"/proc/{pid}/maps").read_text()
executor.end()
print(loaded)
"""


def python(code: str, *arguments: str) -> str:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")])}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(("without", "late"), [("", []), ("talib", ["talib"])])
def test_tasks_find_every_library_loaded(without: str, late: list[str]) -> None:
    assert json.loads(python(IMPORT_ALL, without, *OF_TASKS)) == [1, late]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells what a process has loaded")
def test_the_processes_of_tasks_have_them() -> None:
    assert python(FORKED) == "True"
