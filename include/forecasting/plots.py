"""Pictures of forecasts: what was said and what came, calibration, coverage, width and skill over time.

The same figures are logged with a training and shown in the report. No figure tells anything by colour alone: lines
differ in dashes and markers as well. A figure's label is its text alternative, with the figures it shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from include.forecasting.calibration import LEVELS
from include.forecasting.held import inside
from include.forecasting.losses import loss_of
from include.forecasting.significance import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from include.forecasting.judging import Judgement

Times = npt.NDArray[np.datetime64]

# Read well on white; the report puts a name in the place of each, so that a dark page can choose its own.
INK, GRID, BAND_80, BAND_95 = "#1d2731", "#c9d0d8", "#9cc2e5", "#d8e7f5"
SERIES = ("#0b5fa5", "#b04a0c", "#3a7a36", "#7a3f98", "#8a6d00")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v")
# A line of years of hours has no more to show than this.
MOST_POINTS = 1_000
_WIDE, _SQUARE = (8.0, 3.2), (4.6, 4.4)


class Interval(NamedTuple):
    """Bounds of intervals, one per forecast, and the share of outcomes they are meant to hold."""

    nominal: float
    lower: FloatArray
    upper: FloatArray


class Monthly(NamedTuple):
    """Means of a series by calendar month (UTC); `counts` says of how many values each is."""

    months: Times
    means: FloatArray
    counts: npt.NDArray[np.int64]


def by_month(times: Times, values: FloatArray) -> Monthly:
    """Means of the values that are known, for each month that has one. times: UTC, in any order."""
    known = np.isfinite(values)
    months, place = np.unique(times[known].astype("datetime64[M]"), return_inverse=True)
    counts = np.bincount(place, minlength=len(months))
    return Monthly(months, np.bincount(place, values[known], len(months)) / np.maximum(counts, 1), counts)


def quantile_shares(actual: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Share of outcomes at or below each forecast quantile (columns); NaN where no row has both."""
    known = np.isfinite(actual) & np.isfinite(quantiles).all(axis=1)
    if not known.any():
        return np.full(quantiles.shape[1], np.nan)
    return np.asarray((actual[known, None] <= quantiles[known]).mean(axis=0), dtype=np.float64)


def forecast_figure(
    title: str, unit: str, at: Times, predicted: FloatArray, intervals: Sequence[Interval], actual: FloatArray
) -> Figure:
    """Forecasts with their intervals, widest first, and what came; outcomes outside the widest one are crossed.

    at: the instants forecast, UTC, rising; actual: NaN where not known yet.
    """
    figure, axes = _figure(_WIDE, title, unit)
    for interval, colour in zip(intervals, (BAND_95, BAND_80), strict=False):
        axes.fill_between(
            at, interval.lower, interval.upper, color=colour, linewidth=0, label=f"{interval.nominal:.0%} interval"
        )
    axes.plot(at, predicted, color=SERIES[0], linestyle="--", linewidth=1.2, label="forecast")
    axes.plot(at, actual, color=INK, linewidth=0.9, marker=".", markersize=3, label="what came")
    known = np.isfinite(actual)
    told = [f"{title}: {len(at)} forecasts, {_span(at)}; the outcome of {known.sum()} is known"]
    if intervals:
        widest = intervals[0]
        missed = inside(actual, widest.lower, widest.upper) == 0.0
        axes.plot(
            at[missed], actual[missed], color=SERIES[1], linestyle="", marker="x", markersize=6,
            label=f"outside the {widest.nominal:.0%} interval",
        )  # fmt: skip
        told.append(f"{missed.sum()} outside the {widest.nominal:.0%} interval")
    _legend(axes, 4)
    return _told(figure, ", ".join(told))


def reliability_figure(title: str, levels: FloatArray, shares: Mapping[str, FloatArray]) -> Figure:
    """Quantile reliability: how many outcomes fell at or below each forecast quantile; the diagonal is calibrated."""
    figure, axes = _figure(_SQUARE, title, "share of outcomes at or below it", xlabel="forecast quantile's level")
    axes.plot([0.0, 1.0], [0.0, 1.0], color=GRID, linewidth=1.5, label="calibrated")
    told = []
    for place, (name, found) in enumerate(shares.items()):
        axes.plot(levels, found, **_style(place), markersize=4, linewidth=1.2, label=name)
        if np.isfinite(found).any():
            told.append(f"{name} is at most {np.nanmax(np.abs(found - levels)):.1%} off")
    axes.set(xlim=(0.0, 1.0), ylim=(0.0, 1.0), aspect="equal")
    _legend(axes, 1)
    return _told(figure, f"{title}: {'; '.join(told) or 'nothing is scored yet'}")


def coverage_figure(title: str, monthly: Mapping[float, Monthly]) -> Figure:
    """Share of outcomes that intervals held, by month, beside the share they are meant to hold (the keys)."""
    figure, axes = _figure(_WIDE, title, "share held, by month")
    told = []
    for place, (nominal, found) in enumerate(monthly.items()):
        style = _style(place)
        axes.axhline(nominal, color=style["color"], linewidth=0.8, linestyle=":")
        axes.plot(found.months, found.means, **style, markersize=4, linewidth=1.2, label=f"{nominal:.0%} interval")
        if len(found.months):
            held = float(np.average(found.means, weights=found.counts))
            told.append(f"{nominal:.0%} interval held {held:.1%} of {found.counts.sum()}, months {_extent(found)}")
    axes.yaxis.set_major_formatter(_percent())
    _legend(axes, 2)
    return _told(figure, f"{title}: {'; '.join(told) or 'nothing is scored yet'}")


def width_figure(title: str, unit: str, monthly: Mapping[str, Monthly]) -> Figure:
    """Mean widths of intervals by month, each under its name."""
    figure, axes = _figure(_WIDE, title, unit)
    told = []
    for place, (name, found) in enumerate(monthly.items()):
        axes.plot(found.months, found.means, **_style(place), markersize=3, linewidth=1.2, label=name)
        if len(found.months):
            told.append(f"{name} {float(np.average(found.means, weights=found.counts)):.3g} on average")
    axes.set_ylim(bottom=0.0)
    _legend(axes, 2)
    return _told(figure, f"{title}: {'; '.join(told) or 'nothing is scored yet'}")


def skill_figure(title: str, at: Times, losses: FloatArray, baselines: Mapping[str, FloatArray]) -> Figure:
    """Loss saved so far against each baseline, as a share of that baseline's whole loss: each line ends at its skill.

    losses: of the model, one per row; baselines: theirs on the same rows. Rows without all of them are left out.
    """
    figure, axes = _figure(_WIDE, title, "share of the baseline's loss saved")
    axes.axhline(0.0, color=GRID, linewidth=1.5)
    told = []
    for place, (name, reference) in enumerate(baselines.items()):
        known = np.isfinite(losses) & np.isfinite(reference)
        saved = np.cumsum(reference[known] - losses[known]) / max(float(reference[known].sum()), np.finfo(float).tiny)
        style = _style(place) | {"marker": ""}
        drawn = np.unique(np.linspace(0, max(len(saved) - 1, 0), min(len(saved), MOST_POINTS)).astype(np.int64))
        axes.plot(at[known][drawn], saved[drawn], **style, linewidth=1.2, label=f"against {name}")
        if len(saved):
            told.append(f"skill {saved[-1]:+.2%} against {name} on {len(saved)} rows")
    axes.yaxis.set_major_formatter(_percent())
    _legend(axes, 3)
    return _told(figure, f"{title}: {'; '.join(told) or 'nothing is scored yet'}")


def training_plots(judgement: Judgement[Any]) -> dict[str, Figure]:
    """What a training's walk-forward looks like, by file stem: of the best recipe, on the rows it was judged on."""
    evaluation, bands = judgement.evaluation, judgement.evaluation.bands
    held = judgement.rows.part(evaluation.judged)
    name, at, actual = judgement.recipe.name, held.as_of, held.outcome
    loss = loss_of(held.target)
    losses = {
        each: loss(actual, values[evaluation.judged])
        for each, values in judgement.predictions.items()
        if each == name or each in evaluation.overall.against
    }
    own = losses.pop(name)
    bounds = {0.80: (bands.lower_80, bands.upper_80), 0.95: (bands.lower_95, bands.upper_95)}
    held_by = {nominal: by_month(at, inside(actual, *found)) for nominal, found in bounds.items()}
    widths = {f"{nominal:.0%} interval": by_month(at, upper - lower) for nominal, (lower, upper) in bounds.items()}
    title = f"{name}, {held.target.replace('_', ' ')} {held.horizon_bars} bars ahead"
    shares = {name: quantile_shares(actual, bands.quantiles)}
    return {
        "reliability": reliability_figure(f"{title}: reliability", np.array(LEVELS), shares),
        "skill_over_time": skill_figure(f"{title}: skill", at, own, losses),
        "coverage_over_time": coverage_figure(f"{title}: share held", held_by),
        "width_over_time": width_figure(f"{title}: width", "mean width, in the target's unit", widths),
    }


def _figure(size: tuple[float, float], title: str, ylabel: str, xlabel: str = "UTC") -> tuple[Figure, Axes]:
    """A figure that no window manager and no pyplot knows of, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel(xlabel, fontsize=8, color=INK)
    axes.set_ylabel(ylabel, fontsize=8, color=INK)
    axes.tick_params(labelsize=8, colors=INK)
    axes.grid(color=GRID, linewidth=0.5)
    for side in axes.spines.values():
        side.set_color(GRID)
    return figure, axes


def _legend(axes: Axes, columns: int) -> None:
    axes.legend(fontsize=8, ncols=columns, frameon=False, labelcolor=INK)


def _style(place: int) -> dict[str, Any]:
    """Colour, dashes and marker of a figure's line by its place: two lines never differ in colour alone."""
    choices: dict[str, Sequence[Any]] = {"color": SERIES, "linestyle": _DASHES, "marker": _MARKERS}
    return {name: each[place % len(each)] for name, each in choices.items()}


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(xmax=1.0)


def _span(at: Times) -> str:
    return f"{np.datetime_as_string(at[0], 'D')} to {np.datetime_as_string(at[-1], 'D')}" if len(at) else "no time"


def _extent(found: Monthly) -> str:
    return f"{found.means.min():.1%} to {found.means.max():.1%}"


def _told(figure: Figure, text: str) -> Figure:
    figure.set_label(text)
    return figure
