"""Every query of the dashboards, asked of a Prometheus as Grafana asks: the panels that would stay empty, and why."""

from __future__ import annotations

import json
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from include.metrics.dashboard import dashboard
from include.metrics.panel import Board
from include.stack.metric_check import ONLY_WHEN
from tests.static.promql import parsed, selectors

STEP_SECONDS = 15


@dataclass
class LiveCheck:
    """What was asked so far: how many queries, which had nothing to answer yet, and what is wrong."""

    url: str
    start: float
    end: float
    queries: int = 0
    not_yet: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def board(self, board: Board) -> None:
        """Ask everything that a dashboard asks."""
        drawn = dashboard(board)
        variables = [variable.label for variable in board.variables]
        for variable in board.variables:
            path = f"label/{variable.label}/values"
            if not self._get(path, {"match[]": variable.series, "start": self.start, "end": self.end}):
                self.problems.append(f"{board.name}: nothing to choose from for {variable.label}")
        for panel in drawn["panels"]:
            for query in panel.get("targets", []):
                self.query(f"{board.name}: {panel['title']}", query, variables)

    def query(self, title: str, query: dict[str, Any], variables: list[str]) -> None:
        """Ask one query of a panel, over the range or as it is now."""
        self.queries += 1
        expression = re.sub(rf"\$({'|'.join(variables) or 'none'})\b", ".*", query["expr"])
        expression = expression.replace("$__rate_interval", "5m")
        try:
            series = self._instant(expression) if query["instant"] else self._range(expression)
        except urllib.error.HTTPError as error:
            self.problems.append(f"{title}: refused: {json.load(error)['error']}")
            return
        if not any(math.isfinite(value) for each in series for value in values(each)):
            if set(series_read(query["expr"], variables)) & ONLY_WHEN.keys():
                self.not_yet.append(title)
            else:
                self.problems.append(f"{title}: no data: {expression}")
        wanted = set(re.findall(r"\{\{(\w+)\}\}", query["legendFormat"]))
        absent = {label for each in series for label in wanted - each["metric"].keys()}
        self.problems += [f"{title}: the legend's {label} is in no answer" for label in sorted(absent)]

    def _instant(self, expression: str) -> list[dict[str, Any]]:
        return self._get("query", {"query": expression, "time": self.end})["result"]

    def _range(self, expression: str) -> list[dict[str, Any]]:
        span = {"start": self.start, "end": self.end, "step": STEP_SECONDS}
        return self._get("query_range", {"query": expression, **span})["result"]

    def _get(self, path: str, parameters: dict[str, object]) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:
            return json.load(answer)["data"]


def values(series: dict[str, Any]) -> Iterator[float]:
    for _, value in series.get("values") or [series["value"]]:
        yield float(value)


def series_read(expression: str, variables: list[str]) -> Iterator[str]:
    for selector in selectors(parsed(expression, variables)):
        yield re.sub("_(bucket|sum|count)$", "", str(selector.name))
