"""What the report's tables say of rows as the warehouse gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from include.forecasting import report_sections

AT = datetime(2024, 3, 1, 12, 30, tzinfo=UTC)
SCORED: dict[str, Any] = {
    "venue": "binance", "symbol": "BTC/USDT", "timeframe": "1h", "horizon_bars": 24, "target": "volatility",
    "model": "live.binance.BTC-USDT.1h.24.volatility", "model_version": "7", "baseline": "har", "time_window": "all",
    "forecasts": 900, "days": 40, "loss": 0.3, "baseline_loss": 0.4, "skill": 0.25, "skill_lower": -0.01,
    "skill_upper": 0.51, "direction_accuracy": None, "interval_coverage": 0.812, "interval_coverage_95": None,
}  # fmt: skip


def test_scoreboard_shows_the_interval_of_a_skill() -> None:
    returns, volatility = report_sections.scoreboard([SCORED]).tables
    assert returns.rows == []
    assert volatility.rows == [
        (
            "binance BTC/USDT, +24 h", "version 7", "har", "all", "900", "+25.00%", "[-1.00%, +51.00%]", "-", "81.2%",
            "-",
        )
    ]  # fmt: skip


def test_a_skill_without_an_interval_says_why() -> None:
    young = SCORED | {"days": 29, "skill_lower": None, "skill_upper": None}
    for row, told in ((young, "fewer than 30 days"), (young | {"days": 30}, "-")):
        assert report_sections.scoreboard([row]).tables[1].rows[0][6] == told


def test_a_refused_volatility_says_why_though_the_price_is_served() -> None:
    row = {
        "venue": "binance", "symbol": "BTC/USDT", "hours": 24.0, "state": "served", "reason": None, "refused_at": None,
        "volatility_state": "refused", "volatility_reason": "it learned until 2023-11-01", "made_at": AT,
        "target_at": AT + timedelta(hours=24), "model": "m", "model_version": "3", "is_naive": False,
        "model_age": timedelta(days=3, hours=12),
    }  # fmt: skip
    section = report_sections.status([row])
    assert section.tables[0].rows == [
        (
            "binance BTC/USDT, +24 h", "served", "refused", "it learned until 2023-11-01", "-", "version 3", "3.5 days",
            "2024-03-01 12:30", "2024-03-02 12:30",
        )
    ]  # fmt: skip
    assert "Refused now: 0 of 1" in section.words


def test_a_decision_shows_its_statistics() -> None:
    row = {
        "decided_at": AT, "registered_model": "live.binance.BTC-USDT.1h.1", "target": "log_return",
        "decision": "naive", "recipe": "ridge", "baseline": "drift", "skill": -0.0012, "p_value_over_baseline": 0.0004,
        "tries": 4, "p_value_adjusted": 0.0016, "test_rows": 35_043, "p_value_over_champion": None,
        "champion_before": None, "champion_after": None, "decided_by": None, "reason": "does not beat drift",
    }  # fmt: skip
    assert report_sections.promotions([row]).tables[0].rows == [
        (
            "2024-03-01 12:30", "live.binance.BTC-USDT.1h.1", "naive", "ridge", "drift", "-0.12%", "35043", "< 0.001",
            "4", "0.002", "-", "-", "-", "does not beat drift",
        )
    ]  # fmt: skip


def test_nothing_is_said_to_be_nothing() -> None:
    for section in (
        report_sections.status([]),
        report_sections.latest([]),
        report_sections.scoreboard([]),
        report_sections.promotions([]),
    ):
        assert section.tables
        assert all(table.nothing and not table.rows for table in section.tables)
