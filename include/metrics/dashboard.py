"""The Grafana dashboard as code; `python -m include.metrics.dashboard` writes the committed JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from include.metrics.panels import SECTIONS, Panel

TARGET = Path(__file__).parents[2] / "deploy/grafana/dashboards/pipeline.json"
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS, PANEL_WIDTH, PANEL_HEIGHT = 24, 8, 8


def dashboard() -> dict[str, Any]:
    """The dashboard's JSON model: a row per section, three charts wide."""
    panels: list[dict[str, Any]] = []
    y = 0
    for section, charts in SECTIONS.items():
        position = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        panels.append({"id": len(panels) + 1, "type": "row", "title": section, "gridPos": position, "panels": []})
        y += 1
        per_row = COLUMNS // PANEL_WIDTH
        for index, chart in enumerate(charts):
            x, row = index % per_row * PANEL_WIDTH, index // per_row
            position = {"x": x, "y": y + row * PANEL_HEIGHT, "w": PANEL_WIDTH, "h": PANEL_HEIGHT}
            panels.append(_panel(len(panels) + 1, chart, position))
        y += -(-len(charts) // per_row) * PANEL_HEIGHT
    return {
        "uid": "crypto-market-pipeline",
        "title": "Crypto market pipeline",
        "tags": ["crypto-market"],
        "timezone": "utc",
        "schemaVersion": 36,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "editable": False,
        "panels": panels,
    }


def _panel(number: int, chart: Panel, position: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": chart.title,
        "description": chart.description,
        "datasource": DATASOURCE,
        "gridPos": position,
        "fieldConfig": {"defaults": {"unit": chart.unit}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "expr": expr, "legendFormat": legend}
            for index, (expr, legend) in enumerate([(chart.expr, chart.legend), *chart.more])
        ],
    }


def text() -> str:
    """The committed file's content."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
