"""The outages that are known: in order, and just those hours of the recorded candles that are missing."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.coverage.outages import known_outages, outage_spans
from include.coverage.spans import Span, count, intersect, of_opens, subtract

HOUR = timedelta(hours=1)


def recorded(path: Path, unit: int) -> list[Span]:
    """Hours in which a file has a candle; unit: its time stamps per second."""
    column = "time" if unit == 1 else "open_time"
    times = pq.read_table(path, columns=[column]).column(column).to_pylist()
    return of_opens((datetime.fromtimestamp(at / unit, UTC) for at in times), HOUR)


def missing(held: list[Span]) -> list[Span]:
    return subtract([Span(held[0].start, held[-1].end)], held)


def test_every_outage_of_the_manifest_is_known_to_the_hour(market_data_dir: Path) -> None:
    with (market_data_dir / "binance" / "outages_1h.csv").open(newline="") as lines:
        holes = [
            Span(
                datetime.fromisoformat(row["first_missing_hour_utc"]).replace(tzinfo=UTC),
                datetime.fromisoformat(row["last_missing_hour_utc"]).replace(tzinfo=UTC) + HOUR,
            )
            for row in csv.DictReader(lines)
        ]
    assert len(holes) == 28
    assert count(holes, HOUR) == 128
    assert subtract(holes, outage_spans("binance", "1h")) == []


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "BNBUSDT", "XRPUSDT"])
def test_all_missing_hours_of_binance_lie_in_known_outages(market_data_dir: Path, symbol: str) -> None:
    holes = missing(recorded(market_data_dir / "binance" / "klines_1h" / f"{symbol}.parquet", 1000))
    assert count(holes, HOUR) == (88 if symbol == "XRPUSDT" else 122)
    assert subtract(holes, outage_spans("binance", "1h")) == []


def test_the_outages_of_kraken_are_hours_its_files_lack(market_data_dir: Path) -> None:
    outages = outage_spans("kraken", "1h")
    held = recorded(market_data_dir / "kraken" / "ohlcvt_1h" / "XBTUSD.parquet", 1)
    before_2023 = intersect(outages, [Span(held[0].start, held[-1].end)])
    assert count(intersect(before_2023, missing(held)), HOUR) >= 0.9 * count(before_2023, HOUR)
    later = recorded(market_data_dir / "kraken" / "ohlcv_1h_usdt" / "BTCUSDT.parquet", 1000)
    assert count(intersect(outages, missing(later)), HOUR) == 5


def test_no_outage_covers_a_whole_day_candle_of_binance() -> None:
    assert outage_spans("binance", "1d") == []


def test_a_venue_without_known_outages_has_none() -> None:
    assert known_outages("coinbase") == ()


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["x,2020-01-02 00:00:00,2020-01-01 00:00:00,s"], "ends before it starts"),
        (
            ["x,2020-01-02 00:00:00,2020-01-03 00:00:00,s", "x,2020-01-02 12:00:00,2020-01-04 00:00:00,s"],
            "starts before the one above it has ended",
        ),
    ],
)
def test_a_file_out_of_order_is_refused(tmp_path: Path, rows: list[str], problem: str) -> None:
    file = tmp_path / "outages.csv"
    file.write_text("\n".join(["venue,starts_at,ends_at,source", *rows]))
    with pytest.raises(ValueError, match=problem):
        known_outages("x", file)
