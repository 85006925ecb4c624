"""The page on how to ask for data names what there is: every path, every method of the client, every deadline."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from include.api.access import Access
from include.api.app import PREFIX, create_app
from include.api.warehouse import Warehouse
from include.client import Client
from include.clock import SystemClock
from include.serving import deadlines

PAGE = (Path(__file__).parents[2] / "docs/how-to/data-api.md").read_text()
LINES = PAGE.splitlines()
WORDS = {
    timedelta(minutes=30): "30 minutes",
    timedelta(hours=1): "an hour",
    timedelta(hours=2): "two hours",
    timedelta(hours=50): "50 hours",
    timedelta(days=14): "14 days",
}


def nobody() -> None:
    """Access of an app that is never asked."""


def test_every_path_is_named() -> None:
    app = create_app(Warehouse(lambda: "", SystemClock), Access(nobody, nobody, nobody))
    paths = {path.removeprefix(PREFIX) for path in app.openapi()["paths"]}
    assert len(paths) > 15
    named = set(re.findall(r"`(/[a-z/]+)`", PAGE))
    assert paths - named == set()
    assert {path for path in named if not path.startswith("/market")} - paths == set()


def test_every_question_of_the_client_is_named() -> None:
    (listed,) = [line for line in PAGE.split("\n\n") if line.startswith("Methods: ")]
    questions = {name for name in vars(Client) if not name.startswith("_") and name != "ask"}
    assert set(re.findall(r"`([a-z_]+)`", listed)) == questions


@pytest.mark.parametrize(
    ("row", "age"),
    [
        ("candles", deadlines.CANDLE_GRACE),
        ("features", deadlines.FEATURE_LAG),
        ("tickers", deadlines.TICKER_AGE),
        ("Fear & Greed", deadlines.SENTIMENT_AGE),
        ("rankings", deadlines.RANKING_AGE),
        ("forecasts", deadlines.FORECAST_AGE),
        ("the newest training", deadlines.MODEL_AGE),
    ],
)
def test_the_deadlines_are_those_of_the_code(row: str, age: timedelta) -> None:
    (line,) = [line for line in LINES if line.startswith(f"| {row} |")]
    assert WORDS[age] in line
