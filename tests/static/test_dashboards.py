"""Grafana's dashboard: generated, drawn without overlap, about metrics that exist, and showing every one of ours."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.metrics.dashboard import TARGET, dashboard, text
from include.metrics.registry import REGISTRY

ROOT = Path(__file__).parents[2]
PROVISIONING = ROOT / "deploy/grafana/provisioning"


def problems(board: dict[str, Any], series_of: Callable[[str], set[str]], known: set[str]) -> list[str]:
    """What is wrong with a dashboard."""
    found, occupied = [], set()
    datasources = yaml.safe_load((PROVISIONING / "datasources/prometheus.yml").read_text())["datasources"]
    uids = {source["uid"] for source in datasources}
    for panel in board["panels"]:
        area = panel["gridPos"]
        cells = {
            (x, y) for x in range(area["x"], area["x"] + area["w"]) for y in range(area["y"], area["y"] + area["h"])
        }
        if cells & occupied or area["x"] + area["w"] > 24:
            found.append(f"{panel['title']}: overlaps or leaves the grid")
        occupied |= cells
        if panel["type"] == "row":
            continue
        if panel["datasource"]["uid"] not in uids:
            found.append(f"{panel['title']}: datasource is not provisioned")
        if not panel["fieldConfig"]["defaults"].get("unit") or not panel["description"]:
            found.append(f"{panel['title']}: no unit or description")
        names = set().union(*(series_of(target["expr"]) for target in panel["targets"]))
        found += [f"{panel['title']}: unknown series {name}" for name in sorted(names - known)]
    return found


def test_committed_file_is_what_the_code_says() -> None:
    assert TARGET.read_text() == text(), "run python -m include.metrics.dashboard"


def test_dashboard_is_sound(series_of, known_series: set[str]) -> None:
    assert problems(json.loads(TARGET.read_text()), series_of, known_series) == []


@pytest.mark.parametrize(
    ("plant", "problem"),
    [
        (lambda panel: panel["gridPos"].update(x=20), "overlaps or leaves the grid"),
        (lambda panel: panel["datasource"].update(uid="other"), "datasource is not provisioned"),
        (lambda panel: panel["fieldConfig"]["defaults"].clear(), "no unit or description"),
        (lambda panel: panel["targets"][0].update(expr="rate(crypto_no[5m])"), "unknown series crypto_no"),
    ],
)
def test_a_planted_error_is_found(plant, problem: str, series_of, known_series: set[str]) -> None:
    board = copy.deepcopy(dashboard())
    plant(board["panels"][1])
    assert any(problem in each for each in problems(board, series_of, known_series))


def test_every_metric_of_ours_is_shown(series_of) -> None:
    targets = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    shown = set().union(*map(series_of, targets))
    unseen = {
        name
        for name, metric in REGISTRY.items()
        if not any(each in shown for each in (metric.prometheus_name, f"{metric.prometheus_name}_bucket"))
    }
    assert unseen == set()


def test_dashboard_is_where_grafana_looks() -> None:
    provider = yaml.safe_load((PROVISIONING / "dashboards/files.yml").read_text())["providers"][0]
    grafana = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]["grafana"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/{TARGET.name}"
