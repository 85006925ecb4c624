"""Pictures show what they are given, and say it in words."""

from __future__ import annotations

import base64
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from include.forecasting import picture, plots
from include.forecasting.baselines.listing import baselines
from include.forecasting.inputs import INPUTS
from include.forecasting.judging import judge
from include.forecasting.recipes.listing import recipes
from include.forecasting.rows import ForecastRows
from include.forecasting.targets import Target
from include.forecasting.volatility import COLUMNS

HOUR = np.timedelta64(1, "h")
AT = np.datetime64("2024-01-31T12", "us") + np.arange(48) * HOUR


def only(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def named(axes: Axes) -> list[str]:
    return [str(line.get_label()) for line in axes.lines if not str(line.get_label()).startswith("_")]


def test_months_are_of_the_utc_calendar_and_leave_out_the_unknown() -> None:
    values = np.ones(48)
    values[:3], values[-4:] = np.nan, 0.0
    found = plots.by_month(AT, values)
    assert found.months.tolist() == np.array(["2024-01", "2024-02"], "M8[M]").tolist()
    assert found.counts.tolist() == [9, 36]
    assert found.means.tolist() == [1.0, 32 / 36]


def test_nothing_known_makes_no_month() -> None:
    assert len(plots.by_month(AT, np.full(48, np.nan)).months) == 0


def test_quantile_shares_count_outcomes_at_or_below() -> None:
    quantiles = np.array([[1.0, 3.0], [1.0, 3.0], [1.0, np.nan], [1.0, 3.0]])
    assert plots.quantile_shares(np.array([1.0, 2.0, 0.0, np.nan]), quantiles).tolist() == [0.5, 1.0]


def test_forecasts_and_what_came_with_the_misses_crossed() -> None:
    predicted = np.zeros(48)
    actual = np.where(np.arange(48) < 40, 0.0, np.nan)
    actual[[5, 6]] = 9.0, -9.0
    lower = np.where(np.arange(48) == 7, np.nan, predicted - 2)  # this row has no such interval
    bands = [plots.Interval(0.95, lower, predicted + 2), plots.Interval(0.8, predicted - 1, predicted + 1)]
    figure = plots.forecast_figure("BTC", "USDT", AT, predicted, bands, actual)
    axes = only(figure)
    assert len(axes.collections) == 2
    assert named(axes) == ["forecast", "what came", "outside the 95% interval"]
    assert axes.lines[2].get_ydata().tolist() == [9.0, -9.0]
    assert figure.get_label() == (
        "BTC: 48 forecasts, 2024-01-31 to 2024-02-02; the outcome of 40 is known, 2 outside the 95% interval"
    )


def test_skill_ends_at_the_skill() -> None:
    losses, naive = np.full(48, 0.9), np.ones(48)
    losses[0] = np.nan
    figure = plots.skill_figure("skill", AT, losses, {"naive": naive, "drift": naive / 2})
    lines = [line for line in only(figure).lines if "against" in str(line.get_label())]
    assert [line.get_ydata()[-1] for line in lines] == pytest.approx([0.1, -0.8])
    assert "skill +10.00% against naive on 47 rows" in figure.get_label()


def test_coverage_shows_each_nominal_share() -> None:
    held = plots.by_month(AT, (np.arange(48) % 4 > 0).astype(float))
    figure = plots.coverage_figure("coverage", {0.8: held, 0.95: held})
    assert named(only(figure)) == ["80% interval", "95% interval"]
    assert "80% interval held 75.0% of 48" in figure.get_label()


def test_reliability_has_the_diagonal_and_names_the_worst_level() -> None:
    levels = np.array([0.1, 0.5, 0.9])
    figure = plots.reliability_figure("reliability", levels, {"model": levels + np.array([0.0, 0.03, -0.01])})
    assert named(only(figure)) == ["calibrated", "model"]
    assert "model is at most 3.0% off" in figure.get_label()


def test_nothing_scored_is_said() -> None:
    nothing = plots.by_month(AT[:0], np.empty(0))
    assert plots.coverage_figure("coverage", {0.8: nothing}).get_label() == "coverage: nothing is scored yet"


def test_lines_never_differ_in_colour_alone() -> None:
    months = plots.by_month(AT, np.ones(48))
    lines = only(plots.width_figure("width", "%", {str(place): months for place in range(5)})).lines
    assert len({line.get_linestyle() for line in lines[:4]}) == 4
    assert len({line.get_marker() for line in lines}) == 5


def test_a_judgement_is_drawn_on_the_rows_it_was_judged_on() -> None:
    rows = planted(2_000)
    judged = judge(rows, recipes(Target.LOG_RETURN)[-1:], baselines(Target.LOG_RETURN), None, 0, timedelta(hours=1))
    drawn = plots.training_plots(judged)
    assert set(drawn) == {"reliability", "skill_over_time", "coverage_over_time", "width_over_time"}
    skill = only(drawn["skill_over_time"])
    ends = {str(line.get_label()): line.get_ydata()[-1] for line in skill.lines[1:]}
    against = judged.evaluation.overall.against
    assert ends == pytest.approx({f"against {name}": each.skill.value for name, each in against.items()})
    intervals = judged.evaluation.overall.intervals
    assert intervals is not None
    assert (
        f"80% interval held {intervals.coverage_80:.1%} of {intervals.count}" in drawn["coverage_over_time"].get_label()
    )
    assert len(only(drawn["reliability"]).lines) == 2


def planted(count: int) -> ForecastRows:
    """Hours whose return follows an input a little."""
    drawn = np.random.default_rng(5)
    known = drawn.normal(size=count)
    return ForecastRows(
        target=Target.LOG_RETURN,
        horizon_bars=1,
        as_of=np.datetime64("2023-01-01", "us") + np.arange(count) * HOUR,
        inputs=pd.DataFrame({name: known if name == INPUTS[0] else np.full(count, np.nan) for name in INPUTS}),
        volatility=pd.DataFrame({name: np.full(count, 0.02) for name in COLUMNS}),
        outcome=0.001 * known + drawn.normal(0.0, 0.004, count),
    )


def test_pyplot_knows_of_no_figure() -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    plots.skill_figure("skill", AT, np.ones(48), {"naive": np.ones(48)})
    assert pyplot.get_fignums() == before


def test_picture_follows_the_scheme_and_asks_nobody() -> None:
    def drawn() -> picture.Picture:
        return picture.picture(plots.skill_figure("skill", AT, np.ones(48), {"naive": np.ones(48)}))

    shown = drawn()
    assert shown == drawn()
    svg = base64.b64decode(shown.source.removeprefix("data:image/svg+xml;base64,")).decode()
    assert svg.startswith("<svg")
    assert "prefers-color-scheme:dark" in svg
    drawing = svg.partition("</style>")[2]
    assert f"var(--c{plots.SERIES[0][1:]})" in drawing
    assert not [colour for colour in picture.DARK if colour in drawing]
    assert "<image" not in svg
    assert shown.alternative.startswith("skill: skill +0.00% against naive")
