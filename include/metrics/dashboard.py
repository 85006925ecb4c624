"""Grafana's dashboards as code; `python -m include.metrics.dashboard` writes the committed JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from include.metrics import panels_airflow, panels_forecasts, panels_market_data, panels_pipeline
from include.metrics.panel import Board, Panel, Variable

FOLDER = Path(__file__).parents[2] / "deploy/grafana/dashboards"
BOARDS = (panels_pipeline.BOARD, panels_market_data.BOARD, panels_forecasts.BOARD, panels_airflow.BOARD)
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
SIZES = {"stat": (3, 4), "timeseries": (8, 8)}  # width and height
TAG = "crypto-market"


def dashboard(board: Board) -> dict[str, Any]:
    """A board as Grafana's JSON model."""
    panels: list[dict[str, Any]] = []
    y = 0
    for section, members in board.sections.items():
        place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        panels.append({"id": len(panels) + 1, "type": "row", "title": section, "gridPos": place, "panels": []})
        y += 1
        width, height = SIZES[members[0].kind]
        for index, panel in enumerate(members):
            row, column = divmod(index, COLUMNS // width)
            place = {"x": column * width, "y": y + row * height, "w": width, "h": height}
            panels.append(_panel(len(panels) + 1, panel, place))
        y += -(-len(members) // (COLUMNS // width)) * height
    others = {"type": "dashboards", "title": "Crypto market", "tags": [TAG], "asDropdown": False, "keepTime": True}
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": [TAG],
        "timezone": "utc",
        "schemaVersion": 36,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "editable": False,
        "links": [others],
        "templating": {"list": [_variable(each) for each in board.variables]},
        "panels": panels,
    }


def _variable(variable: Variable) -> dict[str, Any]:
    query = f"label_values({variable.series}, {variable.label})"
    return {
        "type": "query",
        "name": variable.label,
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": variable.label},
        "refresh": 2,  # with the time range
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all", "selected": True},
    }


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    now = panel.kind == "stat"
    targets = [
        {
            "refId": chr(ord("A") + index),
            "datasource": DATASOURCE,
            "expr": query.expr,
            "legendFormat": query.legend,
            "instant": now,
            "range": not now,
        }
        for index, query in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": _description(panel),
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _as_number() if now else _as_lines(),
        "links": [{"title": "more", "url": f"/d/{panel.more}"}] if panel.more else [],
        "targets": targets,
    }


def _description(panel: Panel) -> str:
    """What is to be seen, and the runbooks for when something else is."""
    runbooks = " ".join(f"docs/runbooks/{name}.md" for name in panel.runbooks)
    return f"{panel.description} Otherwise: {runbooks}" if runbooks else panel.description


def _field(panel: Panel) -> dict[str, Any]:
    steps = [{"color": panel.below, "value": None}, *({"color": c, "value": v} for v, c in panel.steps)]
    field: dict[str, Any] = {
        "unit": panel.unit,
        "noValue": panel.empty,
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.kind == "timeseries":
        field["color"] = {"mode": "palette-classic"}
        field["custom"] = {"thresholdsStyle": {"mode": "line" if panel.steps else "off"}}
    else:
        field["color"] = {"mode": "thresholds"}
    return field


def _as_number() -> dict[str, Any]:
    return {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "value",
    }


def _as_lines() -> dict[str, Any]:
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def target(board: Board) -> Path:
    """The committed file of a board."""
    return FOLDER / f"{board.name}.json"


def text(board: Board) -> str:
    """The committed file's content."""
    return json.dumps(dashboard(board), indent=1) + "\n"


if __name__ == "__main__":
    for each in BOARDS:
        target(each).write_text(text(each), encoding="utf-8")
