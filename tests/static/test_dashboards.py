"""Grafana's dashboards: generated, drawn without overlap, about metrics that exist, and showing every one of them."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.metrics.airflow_series import AIRFLOW_SERIES
from include.metrics.dashboard import BOARDS, FOLDER, TAG, dashboard, target, text
from include.metrics.panel import Board, Panel
from include.metrics.registry import REGISTRY
from tests.static.promql import answered, parsed, problems, selectors

ROOT = Path(__file__).parents[2]
PROVISIONING = ROOT / "deploy/grafana/provisioning"
# Of Prometheus itself and of the node exporter.
OTHERS = {
    "up": set(),
    "ALERTS": {"alertname", "alertstate", "severity"},
    "node_filesystem_avail_bytes": {"device", "fstype", "mountpoint"},
    "node_filesystem_size_bytes": {"device", "fstype", "mountpoint"},
    "node_memory_MemAvailable_bytes": set(),
    "node_memory_MemTotal_bytes": set(),
    "node_cpu_seconds_total": {"cpu", "mode"},
}


def label_sets() -> dict[str, set[str]]:
    """The labels of every series there is, by its name."""
    found = dict(OTHERS)
    declared = [(m.prometheus_name, m.type, m.labels) for m in REGISTRY.values()]
    declared += [(s.name, s.type, s.labels) for s in AIRFLOW_SERIES.values()]
    for name, type_, labels in declared:
        if type_ == "timer":
            found |= {name + suffix: set(labels) for suffix in ("_sum", "_count")}
            found[f"{name}_bucket"] = {*labels, "le"}
        else:
            found[name] = set(labels)
    return found


LABELS = label_sets()


def board_problems(board: dict[str, Any]) -> list[str]:
    """What is wrong with a dashboard."""
    found, occupied = [], set()
    datasources = yaml.safe_load((PROVISIONING / "datasources/prometheus.yml").read_text())["datasources"]
    uids = {source["uid"] for source in datasources}
    variables = [variable["name"] for variable in board["templating"]["list"]]
    for panel in board["panels"]:
        area, title = panel["gridPos"], panel["title"]
        cells = {
            (x, y) for x in range(area["x"], area["x"] + area["w"]) for y in range(area["y"], area["y"] + area["h"])
        }
        if cells & occupied or area["x"] + area["w"] > 24:
            found.append(f"{title}: overlaps or leaves the grid")
        occupied |= cells
        if panel["type"] == "row":
            continue
        if panel["datasource"]["uid"] not in uids:
            found.append(f"{title}: datasource is not provisioned")
        if not panel["fieldConfig"]["defaults"].get("unit") or not panel["description"]:
            found.append(f"{title}: no unit or description")
        for query in panel["targets"]:
            found += [f"{title}: {each}" for each in query_problems(query, variables)]
        found += [f"{title}: no runbook {name}" for name in runbooks(panel) if not (ROOT / name).exists()]
    return found


def query_problems(query: dict[str, Any], variables: list[str]) -> list[str]:
    try:
        node = parsed(query["expr"], variables)
    except ValueError as error:
        return [f"does not parse: {error}"]
    if found := problems(node, LABELS):
        return found
    wanted = set(re.findall(r"\{\{(\w+)\}\}", query["legendFormat"]))
    return [f"the legend's {label} is no label of the answer" for label in sorted(wanted - answered(node, LABELS))]


def runbooks(panel: dict[str, Any]) -> list[str]:
    return re.findall(r"docs/runbooks/[\w-]+\.md", panel["description"])


def names(board: Board) -> set[str]:
    """Series that the board's panels read."""
    variables = [variable.label for variable in board.variables]
    return {
        selector.name
        for panel in dashboard(board)["panels"]
        for query in panel.get("targets", [])
        for selector in selectors(parsed(query["expr"], variables))
    }


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_committed_file_is_what_the_code_says(board: Board) -> None:
    assert target(board).read_text() == text(board), "run python -m include.metrics.dashboard"


def test_there_are_no_other_files() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {target(board).name for board in BOARDS}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_dashboard_is_sound(board: Board) -> None:
    assert board_problems(json.loads(target(board).read_text())) == []


def replaced(old: str, new: str):
    def plant(panel: dict[str, Any]) -> None:
        query = panel["targets"][0]
        assert old in query["expr"] + query["legendFormat"]
        query["expr"], query["legendFormat"] = (query[k].replace(old, new) for k in ("expr", "legendFormat"))

    return plant


@pytest.mark.parametrize(
    ("plant", "problem"),
    [
        (lambda panel: panel["gridPos"].update(x=20), "overlaps or leaves the grid"),
        (lambda panel: panel["datasource"].update(uid="other"), "datasource is not provisioned"),
        (lambda panel: panel["fieldConfig"]["defaults"].clear(), "no unit or description"),
        (lambda panel: panel.update(description="docs/runbooks/none.md"), "no runbook docs/runbooks/none.md"),
        (replaced("crypto_venue_requests_total", "crypto_venue_request_total"), "unknown series crypto_venue_request_"),
        (replaced("[$__rate_interval]", ""), "does not parse: expected type matrix"),
        (replaced("$__rate_interval", "$interval"), "does not parse: an unknown variable"),
        (replaced(")) * 60", ") * 60"), "does not parse"),
        (replaced("total[", 'total{exchange="kraken"}['), "crypto_venue_requests_total has no label exchange"),
        (replaced("by (venue, outcome)", "by (venue, result)"), "nothing to group by result"),
        (replaced("by (venue, outcome)", "by (venue)"), "the legend's outcome is no label of the answer"),
    ],
)
def test_a_planted_error_is_found(plant, problem: str) -> None:
    board = copy.deepcopy(dashboard(BOARDS[0]))
    plant(next(panel for panel in board["panels"] if panel["title"] == "Requests, per minute"))
    assert any(problem in each for each in board_problems(board)), board_problems(board)


def test_every_metric_is_shown() -> None:
    shown = {re.sub("_(bucket|sum|count)$", "", name) for board in BOARDS for name in names(board)}
    assert {metric.prometheus_name for metric in REGISTRY.values()} - shown == set()


def test_airflows_series_are_those_that_are_listed_as_relied_on() -> None:
    shown = {re.sub("_(bucket|sum|count)$", "", name) for board in BOARDS for name in names(board)}
    assert {name for name in shown if name.startswith("airflow_")} == AIRFLOW_SERIES.keys()


def numbers() -> list[Panel]:
    return [panel for board in BOARDS for each in board.sections.values() for panel in each if panel.kind == "stat"]


@pytest.mark.parametrize("panel", numbers(), ids=lambda panel: panel.title)
def test_a_number_is_coloured_and_does_not_call_no_data_zero(panel: Panel) -> None:
    assert panel.steps
    assert panel.empty
    assert "vector(0)" not in panel.queries[0].expr


def test_every_variable_is_used_and_asks_for_a_label_that_exists() -> None:
    for board in BOARDS:
        text_ = json.dumps([panel.get("targets") for panel in dashboard(board)["panels"]])
        for variable in board.variables:
            assert f"${variable.label}" in text_
            assert variable.label in LABELS[variable.series]


def test_times_are_shown_as_ages() -> None:
    """A time stamp of Unix seconds says nothing to the eye, and one that stands still looks like one that is fresh."""
    for board in BOARDS:
        for panel in (panel for each in board.sections.values() for panel in each):
            for query in panel.queries:
                if "_timestamp_seconds" in query.expr:
                    assert "time()" in query.expr or query.expr.count("_timestamp_seconds") == 2, panel.title


def test_boards_link_to_each_other() -> None:
    uids = {board.uid for board in BOARDS}
    assert len(uids) == len(BOARDS) == 4
    for board in BOARDS:
        drawn = dashboard(board)
        assert drawn["tags"] == drawn["links"][0]["tags"] == [TAG]
        linked = {link["url"].removeprefix("/d/") for panel in drawn["panels"] for link in panel.get("links", [])}
        assert linked <= uids - {board.uid}


def test_dashboards_are_where_grafana_looks() -> None:
    provider = yaml.safe_load((PROVISIONING / "dashboards/files.yml").read_text())["providers"][0]
    grafana = yaml.safe_load((ROOT / "deploy/compose/monitoring.yaml").read_text())["services"]["grafana"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/{target(BOARDS[0]).name}"
