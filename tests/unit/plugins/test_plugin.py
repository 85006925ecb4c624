"""The plugin as Airflow's loader takes it: every task does, and needs none of its pages."""

from __future__ import annotations

import json
import subprocess
import sys

from crypto_market.ui.views import CATEGORY, PAGES, PREFIX, external_views

LOAD = """
import json, sys
from airflow import plugins_manager
before = set(sys.modules)
names = [plugin.name for plugin in plugins_manager._get_plugins()[0]]
print(json.dumps([names, sorted(set(sys.modules) - before)]))
"""


def test_a_task_loads_the_plugin_without_its_pages() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True, timeout=120)
    names, modules = json.loads(done.stdout.splitlines()[-1])
    assert names == ["crypto_market"]
    ours = {name for name in modules if name.startswith(("include.api", "include.serving", "crypto_market.ui."))}
    assert ours == {"crypto_market.ui.views"}
    assert {name.split(".")[0] for name in modules} & {"pyarrow", "psycopg", "psycopg_pool", "orjson"} == set()


def test_every_page_has_its_place_and_its_file() -> None:
    views = external_views()
    routes = [view["url_route"] for view in views]
    assert len(set(routes)) == len(routes) == len(PAGES) + 1
    assert [view["category"] for view in views if view["destination"] == "nav"] == [CATEGORY] * len(PAGES)
    assert [view["href"] for view in views if view["destination"] == "dag"] == [
        f"{PREFIX}/pages/pipeline?dag_id={{DAG_ID}}"
    ]
