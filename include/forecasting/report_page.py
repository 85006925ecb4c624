"""The report: one HTML page that needs nothing beside itself, from the warehouse alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.forecasting import plots, report_sections
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
_HELD = {0.80: "is_covered", 0.95: "is_covered_95"}
# Levels of the bounds that a sealed row holds, in rising order, and their columns.
BOUNDS: dict[float, str] = {
    0.025: "lower_price_95",
    0.1: "lower_price",
    0.5: "predicted_price",
    0.9: "upper_price",
    0.975: "upper_price_95",
}


def report_page(connection: Connection, now: datetime) -> str:
    """The page as of `now` (UTC). The same warehouse and the same `now` give the same page."""
    world = world_of(connection)
    series = sealed_series(connection)
    sections = [
        report_sections.status(rows_of(connection, "report/forecast_status.sql")),
        report_sections.latest(series),
        outcomes(series),
        calibration(series),
        report_sections.scoreboard(rows_of(connection, "report/scoreboard.sql")),
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
    scored = [each for each in series if np.isfinite(each.floats("actual_price")).any()]
    drawn = [picture(figure) for each in scored for figure in _calibration(each)]
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


def _calibration(series: SealedSeries) -> list[Figure]:
    at = series.times("target_at")
    bounds: FloatArray = np.stack([series.floats(column) for column in BOUNDS.values()], axis=1)
    months = {nominal: plots.by_month(at, series.floats(name)) for nominal, name in _HELD.items()}
    shares = plots.quantile_shares(series.floats("actual_price"), bounds)
    return [
        plots.coverage_figure(f"{series.title}: share held", months),
        plots.reliability_figure(f"{series.title}: reliability", np.array(list(BOUNDS)), {"sealed forecasts": shares}),
    ]
