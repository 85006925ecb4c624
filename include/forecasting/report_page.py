"""The report: one HTML page that needs nothing beside itself, from the warehouse alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.forecasting import plots, report_sections
from include.forecasting.losses import qlike, squared_error
from include.forecasting.picture import picture
from include.forecasting.report_rows import DAYS_READ, SealedSeries, rows_of, sealed_series
from include.forecasting.report_sections import DECISIONS_SHOWN, Section, Table
from include.forecasting.significance import FloatArray
from include.warehouse.connection import Connection
from include.warehouse.world import world_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATES = Path(__file__).parent / "templates"
DAYS_DRAWN = 14


class _Shown(NamedTuple):
    """Columns of a sealed row about one quantity: bounds by level, shares held by nominal share, what came."""

    name: str
    bounds: dict[float, str]
    held: dict[float, str]
    actual: str


PRICE = _Shown(
    "price",
    {0.025: "lower_price_95", 0.1: "lower_price", 0.9: "upper_price", 0.975: "upper_price_95"},
    {0.80: "is_covered", 0.95: "is_covered_95"},
    "actual_price",
)
VOLATILITY = _Shown(
    "volatility",
    {0.025: "lower_volatility_95", 0.1: "lower_volatility", 0.9: "upper_volatility", 0.975: "upper_volatility_95"},
    {0.80: "is_volatility_covered", 0.95: "is_volatility_covered_95"},
    "actual_volatility",
)


def report_page(connection: Connection, now: datetime) -> str:
    """The page as of `now` (UTC). The same warehouse and the same `now` give the same page."""
    world = world_of(connection)
    series = sealed_series(connection)
    sections = [
        report_sections.status(rows_of(connection, "report/forecast_status.sql")),
        report_sections.latest(series),
        outcomes(series),
        calibration(series),
        replace(
            report_sections.scoreboard(rows_of(connection, "report/scoreboard.sql")),
            pictures=[picture(figure) for each in series for figure in _skill(each)],
        ),
        report_sections.promotions(rows_of(connection, "report/promotions.sql", most=DECISIONS_SHOWN)),
    ]
    page = {
        "title": "Forecasts and what became of them",
        "made": f"{world or 'empty'} world, as of {now:%Y-%m-%d %H:%M} UTC. All times are UTC.",
        "warning": "SYNTHETIC DATA: seeded random walks, no real prices." if world == "synthetic" else "",
        "sections": sections,
        "footer": "Nothing here trades, and nothing here is advice. Every figure is computed from the warehouse: "
        "sealed forecasts and their scores are checked by `make verify-forecasts`.",
    }
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True)
    return environment.get_template("report.html").render(page=page)


def outcomes(series: Sequence[SealedSeries]) -> Section:
    """Forecasts of the last days before the newest target beside what came."""
    words = (
        f"The last {DAYS_DRAWN} days before the newest target of each market and horizon; forecasts stand at the "
        "instant they are for. Crosses are outcomes outside the widest interval."
    )
    drawn = [picture(figure) for each in series for figure in _outcomes(each.since_newest(DAYS_DRAWN))]
    nothing = Table("", (), [], "No forecast is sealed yet: there is nothing to draw.")
    return Section("outcomes", "Forecasts and what came", words, [] if drawn else [nothing], drawn)


def calibration(series: Sequence[SealedSeries]) -> Section:
    """Whether intervals hold what they promise, live."""
    words = (
        f"Sealed forecasts of the last {DAYS_READ} days before the newest target. An 80 % interval has to hold 80 % of "
        "outcomes: fewer means too sure, more means too vague. In brackets the 95 % confidence interval of the share, "
        "which allows for forecasts that overlap."
    )
    header = ("market and horizon", "of", "n", "held by 80 %", "held by 95 %", "n of 95 %")
    rows = report_sections.calibration(series)
    table = Table("Share of outcomes within the interval", header, rows, "No forecast has matured yet.")
    drawn = [
        picture(figure) for each in series for shown in (PRICE, VOLATILITY) for figure in _calibration(each, shown)
    ]
    return Section("calibration", "Do intervals hold what they promise?", words, [table], drawn)


def _outcomes(series: SealedSeries) -> list[Figure]:
    at, floats = series.times("target_at"), series.floats
    figures = [
        plots.forecast_figure(
            series.title, series.quote, at, floats("predicted_price"),
            [
                plots.Interval(0.95, floats("lower_price_95"), floats("upper_price_95")),
                plots.Interval(0.80, floats("lower_price"), floats("upper_price")),
            ],
            floats("actual_price"),
        )
    ]  # fmt: skip
    if np.isfinite(floats("predicted_volatility")).any():
        bounds = ("lower_volatility_95", "upper_volatility_95", "lower_volatility", "upper_volatility")
        lower_95, upper_95, lower, upper = (100 * floats(name) for name in bounds)
        figures.append(
            plots.forecast_figure(
                f"{series.title}, volatility", "% of the price", at, 100 * floats("predicted_volatility"),
                [plots.Interval(0.95, lower_95, upper_95), plots.Interval(0.80, lower, upper)],
                100 * floats("actual_volatility"),
            )
        )  # fmt: skip
    return figures


def _calibration(series: SealedSeries, shown: _Shown) -> list[Figure]:
    actual = series.floats(shown.actual)
    if not np.isfinite(actual).any():
        return []
    at, title = series.times("target_at"), f"{series.title}, {shown.name}"
    bounds: FloatArray = np.stack([series.floats(column) for column in shown.bounds.values()], axis=1)
    months = {nominal: plots.by_month(at, series.floats(column)) for nominal, column in shown.held.items()}
    shares = {"sealed forecasts": plots.quantile_shares(actual, bounds)}
    return [
        plots.coverage_figure(f"{title}: share held", months),
        plots.reliability_figure(f"{title}: reliability", np.array(list(shown.bounds)), shares),
    ]


def _skill(series: SealedSeries) -> list[Figure]:
    """Live skill against each baseline, of returns and of volatility; nothing where nothing is scored."""
    at, figures = series.times("target_at"), []
    actual = series.floats("actual_log_return")
    if np.isfinite(actual).any():
        losses = {"random walk": squared_error(actual, np.zeros(len(at)))}
        for name in ("drift", "seasonal"):
            losses[name] = squared_error(actual, series.floats(f"{name}_log_return"))
        own = squared_error(actual, series.floats("predicted_log_return"))
        figures.append(plots.skill_figure(f"{series.title}, return: skill", at, own, losses))
    actual = series.floats("actual_volatility")
    if np.isfinite(actual).any():
        losses = {name: qlike(actual, series.floats(f"{name.lower()}_volatility")) for name in ("EWMA", "HAR")}
        own = qlike(actual, series.floats("predicted_volatility"))
        figures.append(plots.skill_figure(f"{series.title}, volatility: skill", at, own, losses))
    return figures
