"""What a dashboard is made of, without Grafana's own words for it."""

from __future__ import annotations

from typing import Literal, NamedTuple

NO_DATA = "no data"


class Query(NamedTuple):
    """A PromQL expression, and how its series are called: `{{label}}` is filled in."""

    expr: str
    legend: str


class Panel(NamedTuple):
    """A chart over time, or a number as it is now (`stat`).

    `unit` is Grafana's id of a unit; `description` says what a healthy picture looks like. `steps` are values from
    which on another colour holds; `below` is the colour under the first. `runbooks` are files of docs/runbooks, without
    their suffix; `more` is the uid of the board that says more. `empty` is shown where there is no series, and says
    what that means.
    """

    title: str
    unit: str
    description: str
    queries: tuple[Query, ...]
    kind: Literal["timeseries", "stat"] = "timeseries"
    steps: tuple[tuple[float, str], ...] = ()
    below: str = "green"
    runbooks: tuple[str, ...] = ()
    more: str = ""
    empty: str = NO_DATA


class Variable(NamedTuple):
    """A choice at the top of a board: the values of one label, all of them at first."""

    label: str
    series: str


class Board(NamedTuple):
    """A dashboard: rows of panels by their titles. Its file is `<name>.json`, its uid `crypto-<name>`."""

    name: str
    title: str
    description: str
    sections: dict[str, tuple[Panel, ...]]
    variables: tuple[Variable, ...] = ()

    @property
    def uid(self) -> str:
        return f"crypto-{self.name}"


def chart(
    title: str,
    unit: str,
    description: str,
    *queries: tuple[str, str],
    steps: tuple[tuple[float, str], ...] = (),
    runbooks: tuple[str, ...] = (),
    empty: str = NO_DATA,
) -> Panel:
    """Lines over time."""
    return Panel(
        title, unit, description, tuple(Query(*each) for each in queries), steps=steps, runbooks=runbooks, empty=empty
    )


def number(
    title: str,
    unit: str,
    description: str,
    expr: str,
    steps: tuple[tuple[float, str], ...] = (),
    *,
    below: str = "green",
    runbooks: tuple[str, ...] = (),
    more: str = "",
    empty: str = NO_DATA,
) -> Panel:
    """One figure as it is now. Its expression adds no `or vector(0)`: no data must not look like none."""
    query = Query(expr, title)
    return Panel(title, unit, description, (query,), "stat", steps, below, runbooks, more, empty)


def zero_is_well(worst: str = "red") -> tuple[tuple[float, str], ...]:
    """Green at 0, and from 1 on the given colour."""
    return ((1, worst),)


def p95(series: str, *labels: str, where: str = "", window: str = "1h") -> str:
    """The 95th percentile of a timer by these labels, over what ended in the window."""
    selector = f"{series}_bucket{{{where}}}" if where else f"{series}_bucket"
    return f"histogram_quantile(0.95, sum by ({', '.join((*labels, 'le'))}) (rate({selector}[{window}])))"


def mean(series: str, *labels: str, where: str = "") -> str:
    """The mean of a timer by these labels over all that was counted, where too little happens for a rate."""
    by = f"sum by ({', '.join(labels)})"
    selector = f"{{{where}}}" if where else ""
    return f"{by} ({series}_sum{selector}) / {by} ({series}_count{selector})"
