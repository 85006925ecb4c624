"""Four years of recorded hours as panels, read once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.reconcile.judge import Judged, judge
from include.reconcile.model import Panel
from include.reconcile.thresholds import CONTEXT
from tests.unit.reconcile.recorded import SOURCES, Series, binance_outages, hour_of, panels, read

START = datetime(2021, 1, 1, tzinfo=UTC)
END = datetime(2025, 2, 1, tzinfo=UTC)
# Binance did not trade BTC/USDC in these hours: [from, until).
PAUSE = (datetime(2022, 9, 29, 3, tzinfo=UTC), datetime(2023, 3, 12, 6, tzinfo=UTC))


@pytest.fixture(scope="session")
def recorded_series(market_data_dir: Path) -> list[Series]:
    return [read(market_data_dir, source) for source in SOURCES]


@pytest.fixture(scope="session")
def recorded_panels(market_data_dir: Path, recorded_series: list[Series]) -> list[Panel]:
    """Panels of BTC and ETH from 2021 on, with their context before; the venues' known outages are explained."""
    found = panels(
        recorded_series,
        START - 2 * CONTEXT * timedelta(hours=1),
        END,
        binance_outages(market_data_dir),
    )
    for panel in found:
        for column, instrument in enumerate(panel.instruments):
            if (instrument.venue, instrument.symbol) == ("binance", "BTC/USDC"):
                panel.expected[hour_of(PAUSE[0]) - panel.first : hour_of(PAUSE[1]) - panel.first, column] = False
    return found


@pytest.fixture(scope="session")
def clean(recorded_panels: list[Panel]) -> list[Judged]:
    """The verdicts on the recorded hours as they are."""
    return judge(recorded_panels)
