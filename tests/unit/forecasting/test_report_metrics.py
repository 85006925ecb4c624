"""The README's figures: what is printed is what was computed, and the README holds what is printed."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from include.config.markets import FORECAST_MARKETS
from include.forecasting import report_metrics, report_metrics_command
from include.forecasting.baselines.random_walk import RandomWalk
from include.forecasting.evaluation import evaluate
from include.forecasting.historical import FEWEST_OUTCOMES, historical_quantiles
from include.forecasting.recipes.listing import recipe
from include.forecasting.recorded import recorded_rows
from include.forecasting.report_metrics import ENDS_AT, STARTS_AT, figures_of
from include.forecasting.report_metrics_table import BEGINS, ENDS, NoBlockError, block, put_into
from include.forecasting.targets import FORECASTS, Target
from include.forecasting.times import to_array

README = Path(__file__).parents[3] / "README.md"
HOUR = timedelta(hours=1)
BTC = FORECAST_MARKETS[0]
SKILL = re.compile(r"[+-]\d+\.\d\d% \[[+-]\d+\.\d\d%, [+-]\d+\.\d\d%\], p (= \d\.\d{3}|< 0\.001)")


def tables(text: str) -> list[list[list[str]]]:
    """Cells of each Markdown table, header first."""
    found: list[list[list[str]]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("| "):
            if not inside:
                found.append([])
            cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
            if set(cells) != {"---"}:
                found[-1].append(cells)
        inside = line.startswith("| ")
    return found


def readme_block() -> str:
    text = README.read_text(encoding="utf-8")
    assert text.count(BEGINS) == text.count(ENDS) == 1
    return text[text.index(BEGINS) : text.index(ENDS) + len(ENDS)]


def test_a_kind_of_a_market(market_data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_metrics, "recipes", lambda target: [recipe(target, "har_ridge")])  # the quick one
    since = datetime(2024, 12, 1, tzinfo=UTC)
    found = figures_of(market_data_dir, BTC, FORECASTS[-1], since, ENDS_AT)
    overall = found.evaluations[found.recipe].overall
    assert overall.count == 31 * 24
    assert set(found.evaluations) == {found.recipe, "ewma", "har"}
    assert set(overall.against) == {"ewma", "har"}
    assert found.challenger.skill == overall.against[found.challenger.baseline].skill
    assert [each.nominal for each in found.coverages] == [0.8, 0.95]
    assert all(each.worst_quarter == "2024 Q4" for each in found.coverages)
    assert all(each.held.count == found.interval_rows for each in found.coverages)
    text = block([found])
    assert text.startswith(BEGINS)
    assert text.endswith(ENDS)
    assert "2024-12-01 to 2025-01-01" in text
    volatility, _, intervals = tables(text)
    assert [volatility[0], intervals[0]] == [tables(readme_block())[2][0], tables(readme_block())[-1][0]]
    assert volatility[1][:3] == ["BTC/USDT", "744", found.recipe]
    assert all(SKILL.fullmatch(cell) for cell in volatility[1][4:6])


def test_the_readme_holds_every_market_and_kind() -> None:
    returns, errors, volatility, its_errors, intervals = tables(readme_block())
    markets = [market.symbol for market in FORECAST_MARKETS]
    horizons = [kind.horizon_bars for kind in FORECASTS if kind.target is Target.LOG_RETURN]
    assert [row[:2] for row in returns[1:]] == [[m, f"{h} h"] for h in horizons for m in markets]
    assert [row[:2] for row in errors[1:]] == [row[:2] for row in returns[1:]]
    assert [row[0] for row in volatility[1:]] == [row[0] for row in its_errors[1:]] == markets
    assert len(intervals) == 1 + len(markets) * len(FORECASTS)
    assert all(SKILL.fullmatch(cell) for row in returns[1:] for cell in row[4:7])


def test_the_readmes_random_walk_is_what_the_data_say(market_data_dir: Path) -> None:
    """The one forecaster that needs no fit, computed again; of the others the format is checked above."""
    rows = recorded_rows(market_data_dir, BTC.venue_symbol, FORECASTS[0]).matured()
    starts, ends = to_array([STARTS_AT, ENDS_AT])
    judged = (rows.as_of >= starts) & (rows.as_of < ends)
    predicted = np.where(judged, RandomWalk().fit(rows).predict(rows), np.nan)
    overall = evaluate(rows, predicted, {}, HOUR).overall
    returns, errors, *_ = tables(readme_block())
    assert returns[1][:3] == ["BTC/USDT", "1 h", f"{overall.count:,}"]
    place = errors[1][2].split(" / ").index("random walk")
    mae, rmse = (errors[1][column].split(" / ")[place] for column in (3, 4))
    assert (mae, rmse) == (f"{100 * overall.mae:.4f}", f"{100 * overall.rmse:.4f}")


def test_command_without_data_says_what_it_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    report_metrics_command.add_arguments(parser)
    assert report_metrics_command.run(parser.parse_args(["--quick"]), {}) == 2
    assert "MARKET_DATA_DIR" in capsys.readouterr().err
    assert report_metrics_command.run(parser.parse_args(["--data", str(tmp_path), "--processes", "1"]), {}) == 2
    assert "no figures" in capsys.readouterr().err


def test_the_block_goes_between_the_markers_of_a_text() -> None:
    assert (
        put_into(f"before\n{BEGINS} old {ENDS}\nafter", f"{BEGINS} new {ENDS}") == f"before\n{BEGINS} new {ENDS}\nafter"
    )
    for text in ("none", f"{BEGINS}", f"{ENDS} {BEGINS}", f"{BEGINS} {ENDS} {ENDS}"):
        with pytest.raises(NoBlockError):
            put_into(text, "")


def test_historical_quantiles_know_only_what_had_come() -> None:
    count, horizon = FEWEST_OUTCOMES + 200, timedelta(hours=24)
    as_of = np.datetime64("2024-01-01", "us") + np.arange(count) * np.timedelta64(HOUR)
    outcome = np.random.default_rng(2).normal(size=count)
    levels = np.array([0.1, 0.9])
    found = historical_quantiles(as_of, outcome, horizon, levels)
    first = int(np.flatnonzero(np.isfinite(found[:, 0]))[0])
    assert first == FEWEST_OUTCOMES + 24, "after the outcomes are there, at the next midnight"
    assert found[first].tolist() == np.quantile(outcome[: first - 23], levels).tolist()
    later = outcome.copy()
    later[first - 23 :] = 99.0
    changed = historical_quantiles(as_of, later, horizon, levels)
    assert changed[first].tolist() == found[first].tolist()
    assert changed[first + 24].tolist() != found[first + 24].tolist()


def test_historical_quantiles_forget_after_a_year() -> None:
    count = 368 * 24
    as_of = np.datetime64("2023-01-01", "us") + np.arange(count) * np.timedelta64(HOUR)
    outcome = np.where(np.arange(count) < 24, 50.0, 0.0)
    found = historical_quantiles(as_of, outcome, HOUR, np.array([1.0]))
    assert found[365 * 24 - 1, 0] == 50.0
    assert found[-1, 0] == 0.0
