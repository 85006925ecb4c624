"""Which world a stack replays."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.stack.layout import StackError
from include.stack.replay_source import ReplaySource


def test_without_a_folder_the_world_is_synthetic() -> None:
    for environ in ({}, {"MARKET_DATA_DIR": ""}):
        source = ReplaySource.from_environment(environ)
        assert (source.world, source.arguments()) == ("synthetic", ["--synthetic"])


def record(folder: Path) -> None:
    """The least that counts as recorded data."""
    for name in ("binance/klines_1h/BTCUSDT.parquet", "alternative_me/fng_daily.csv"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()


def test_a_folder_of_recorded_candles(tmp_path: Path) -> None:
    record(tmp_path)
    source = ReplaySource.from_environment({"MARKET_DATA_DIR": str(tmp_path), "REPLAY_CLOCK": "2024-01-01T00:00:00Z"})
    assert source.world == "recorded"
    assert source.arguments() == ["--data", str(tmp_path), "--clock", "2024-01-01T00:00:00Z"]


def test_a_relative_folder_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    assert ReplaySource.from_environment({"MARKET_DATA_DIR": "data"}).data == tmp_path / "data"


def test_a_folder_without_candles_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"holds no binance/klines_1h/\*\.parquet"):
        ReplaySource.from_environment({"MARKET_DATA_DIR": str(tmp_path)})
    with pytest.raises(StackError, match=r"nowhere does not exist.*unset"):
        ReplaySource.from_environment({"MARKET_DATA_DIR": str(tmp_path / "nowhere")})


def test_a_folder_without_sentiment_says_so(tmp_path: Path) -> None:
    record(tmp_path)
    (tmp_path / "alternative_me" / "fng_daily.csv").unlink()
    with pytest.raises(StackError, match=r"holds no alternative_me/fng_daily\.csv\."):
        ReplaySource.from_environment({"MARKET_DATA_DIR": str(tmp_path)})
