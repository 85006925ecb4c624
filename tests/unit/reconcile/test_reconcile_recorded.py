"""Four years of recorded hours without any fault put in: what alarms, why, and how often that is wrong."""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.reconcile.judge import Judged, judge
from include.reconcile.model import Finding, Panel
from include.reconcile.thresholds import CONTEXT
from tests.unit.reconcile.conftest import END, START
from tests.unit.reconcile.recorded import EARLIER, Series, at_hour, binance_outages, hour_of, panels, read

MONTHS = 49
# Every alarm from 2021-01 to 2025-01, by coin and first hour: who is accused (`+`: not attributed), and what happened.
# HALT: the venue stood still for part of the hour, as its volume, its own missing hours or its next open show.
# WICK: trades at a price that no other venue saw, in the venue's own book. ABSENT: no candle, nothing explains it.
HALT, WICK, ABSENT, FALSE = "halt", "wick", "absent", "false alarm"
KNOWN = {
    ("BTC", "2021-01-07 18"): ("kraken", HALT),
    ("BTC", "2021-01-29 16"): ("kraken", HALT),
    ("BTC", "2021-02-11 03"): ("binance", HALT),  # the candle before Binance's outage, cut at 03:40:54
    ("BTC", "2021-04-14 09"): ("bitstamp", HALT),
    ("BTC", "2021-07-22 22"): ("kraken", HALT),
    ("BTC", "2021-07-23 13"): ("kraken", HALT),
    ("BTC", "2021-08-13 06"): ("binance", HALT),  # the first candle after its outage opens at the last price before it
    ("BTC", "2021-10-10 20"): ("bitstamp", WICK),
    ("BTC", "2021-10-18 15"): ("bitstamp", WICK),
    ("BTC", "2021-10-21 11"): ("kraken", WICK),
    ("BTC", "2022-01-01 23"): ("binance", WICK),
    ("BTC", "2022-01-05 08"): ("bitstamp", HALT),
    ("BTC", "2022-01-24 11"): ("bitstamp", WICK),
    ("BTC", "2022-03-25 16"): ("kraken", HALT),
    ("BTC", "2022-05-11 08"): ("bitstamp", HALT),
    ("BTC", "2023-01-13 00"): ("bitstamp", HALT),
    ("BTC", "2023-01-14 00"): ("bitstamp", HALT),
    ("BTC", "2023-02-16 13"): ("binance+kraken", WICK),
    ("BTC", "2023-03-12 06"): ("binance", HALT),  # BTC/USDC is traded again, the first trade at an old price
    ("BTC", "2023-03-12 23"): ("binance+kraken", WICK),
    ("BTC", "2023-03-24 11"): ("binance+kraken", HALT),  # Binance, before its outage at 12:39:41
    ("BTC", "2023-05-07 20"): ("kraken", ABSENT),
    ("BTC", "2023-08-18 14"): ("binance+kraken", HALT),
    ("BTC", "2023-08-20 09"): ("binance+kraken", WICK),
    ("BTC", "2023-11-06 13"): ("binance+kraken", WICK),
    ("BTC", "2023-12-04 08"): ("binance+kraken", WICK),
    ("BTC", "2023-12-04 15"): ("binance+kraken", WICK),
    ("BTC", "2024-01-08 08"): ("kraken", HALT),
    ("BTC", "2024-01-20 16"): ("kraken", ABSENT),
    ("BTC", "2024-02-09 15"): ("binance+kraken", WICK),
    ("ETH", "2021-01-29 16"): ("kraken", ABSENT),
    ("ETH", "2021-02-11 03"): ("binance+kraken", HALT),
    ("ETH", "2021-02-22 14"): ("binance+kraken", WICK),  # Kraken's ETH fell to 700 USD
    ("ETH", "2021-04-17 04"): ("binance+kraken", WICK),
    ("ETH", "2021-05-16 17"): ("binance+kraken", WICK),
    ("ETH", "2021-07-22 22"): ("binance+kraken", HALT),
    ("ETH", "2021-07-23 13"): ("binance+kraken", HALT),
    ("ETH", "2021-08-13 06"): ("binance+kraken", HALT),
    ("ETH", "2021-10-23 07"): ("binance+kraken", FALSE),
    ("ETH", "2022-03-25 16"): ("binance+kraken", HALT),
    ("ETH", "2023-03-12 18"): ("binance+kraken", WICK),
    ("ETH", "2023-03-24 11"): ("binance+kraken", HALT),
    ("ETH", "2023-03-26 03"): ("kraken", ABSENT),
    ("ETH", "2023-05-07 20"): ("kraken", ABSENT),
    ("ETH", "2023-07-30 03"): ("kraken", ABSENT),
    ("ETH", "2023-11-06 13"): ("binance+kraken", WICK),
    ("ETH", "2023-12-04 11"): ("binance+kraken", WICK),
    ("ETH", "2023-12-04 15"): ("binance+kraken", WICK),
    ("ETH", "2024-01-07 03"): ("kraken", ABSENT),
    ("ETH", "2024-01-08 08"): ("kraken", HALT),
    ("ETH", "2024-01-20 16"): ("kraken", ABSENT),
    ("ETH", "2024-03-05 17"): ("binance+kraken", WICK),
    ("ETH", "2024-10-26 16"): ("binance+coinbase", HALT),
}


def alarms(judged: Judged, without: Set[tuple[int, int]] = frozenset()) -> list[list[Finding]]:
    """Outliers and gaps from START on; those of neighbouring hours are one alarm."""
    episodes: list[list[Finding]] = []
    grave = [f for key, f in judged.findings.items() if f.verdict != "quote_basis" and key not in without]
    for finding in sorted(f for f in grave if f.row >= 2 * CONTEXT):
        if episodes and finding.row - episodes[-1][-1].row <= 2:
            episodes[-1].append(finding)
        else:
            episodes.append([finding])
    return episodes


def test_every_alarm_is_known_and_explained(clean: list[Judged]) -> None:
    found = {}
    for each in clean:
        for episode in alarms(each):
            accused = {each.panel.instruments[k].venue for finding in episode for k in finding.suspects}
            start = at_hour(each.panel.first + episode[0].row)
            found[each.panel.base, f"{start:%Y-%m-%d %H}"] = "+".join(sorted(accused))
    assert found == {key: accused for key, (accused, _) in KNOWN.items()}


def test_there_is_less_than_one_alarm_a_month(clean: list[Judged]) -> None:
    """The bound holds for all alarms of a coin together; those that are false are two."""
    wrong = sum(what == FALSE for _, what in KNOWN.values())
    for each in clean:
        rate = len(alarms(each)) / MONTHS
        print(f"{each.panel.base}: {len(alarms(each))} alarms in {MONTHS} months, {rate:.2f} a month")
        assert rate < 1
    moments = {start for _, start in KNOWN}
    print(f"{len(moments)} moments of alarm, {len(moments) / MONTHS:.2f} a month; {wrong} false alarms")
    assert len(moments) / MONTHS < 1
    assert wrong / MONTHS < 0.1


@pytest.mark.parametrize(
    ("base", "venue", "symbol", "start", "hours", "least"),
    [
        ("BTC", "binance", "BTC/USDT", datetime(2022, 5, 12, 6, tzinfo=UTC), 5, 0.009),
        ("ETH", "binance", "ETH/USDT", datetime(2022, 5, 12, 6, tzinfo=UTC), 5, 0.009),
        ("BTC", "binance", "BTC/USDC", datetime(2023, 3, 12, 7, tzinfo=UTC), 15, 0.02),
    ],
)
def test_a_quote_that_leaves_its_peg_is_no_outlier(
    clean: list[Judged], base: str, venue: str, symbol: str, start: datetime, hours: int, least: float
) -> None:
    (each,) = (j for j in clean if j.panel.base == base)
    names = [(i.venue, i.symbol) for i in each.panel.instruments]
    first = hour_of(start) - each.panel.first
    said = [each.findings.get((row, names.index((venue, symbol)))) for row in range(first, first + hours)]
    moved = [f for f in said if f is not None]
    assert {f.verdict for f in moved} == {"quote_basis"}
    assert len(moved) >= hours - 1  # an hour may pass through the usual distance
    assert max(abs(f.basis) for f in moved) > least


def test_most_hours_agree(clean: list[Judged]) -> None:
    for each in clean:
        compared = int(each.compared[2 * CONTEXT :].sum())
        spoken = sum(f.row >= 2 * CONTEXT for f in each.findings.values())
        print(f"{each.panel.base}: {compared} candles compared, {spoken} do not simply agree")
        assert compared > 80_000 if each.panel.base == "BTC" else compared > 60_000
        assert spoken / compared < 0.005


def test_the_verdict_does_not_depend_on_where_a_piece_begins(recorded_panels: list[Panel], clean: list[Judged]) -> None:
    start = datetime(2023, 3, 8, tzinfo=UTC)
    rows = range(
        hour_of(start) - recorded_panels[0].first, hour_of(start + timedelta(days=8)) - recorded_panels[0].first
    )
    assert START < start < END
    lead = 2 * CONTEXT
    window = slice(rows.start - lead, rows.stop + 1)
    names = ("open", "high", "low", "close", "base_volume", "quote_volume", "expected")
    pieces = [
        Panel(p.base, p.first + window.start, p.instruments, **{name: getattr(p, name)[window] for name in names})
        for p in recorded_panels
    ]
    for whole, piece in zip(clean, judge(pieces), strict=True):
        here = {key: str(f[2:]) for key, f in whole.findings.items() if key[0] in rows}
        there = {(row + window.start, column): str(f[2:]) for (row, column), f in piece.findings.items()}
        assert here
        assert {key: f for key, f in there.items() if key[0] in rows} == here


def test_years_on_which_nothing_was_tuned(market_data_dir: Path, recorded_series: list[Series]) -> None:
    """2018-05 to 2020-12, with Coinbase: the vendor's error in Bitstamp's file is found, and little else alarms.

    Until 2020-10-12 08:00 the file holds USD volumes in the column of BTC volumes.
    """
    start, end, corrected = (datetime(*day, tzinfo=UTC) for day in ((2018, 5, 1), (2021, 1, 1), (2020, 10, 12, 9)))
    made = panels([*recorded_series, read(market_data_dir, EARLIER)], start, end, binance_outages(market_data_dir))
    count, wrong = 0, set()
    for each in judge(made):
        swapped = {
            key
            for key, finding in each.findings.items()
            if each.panel.instruments[key[1]].venue == "bitstamp" and finding.reason in {"volume", "volume_unit"}
        }
        wrong |= {each.panel.first + key[0] for key in swapped if each.findings[key].reason == "volume_unit"}
        count += len(alarms(each, without=swapped))
    print(f"{len(wrong)} of 20143 hours with swapped volumes found; {count} other alarms in 32 months")
    assert len(wrong) > 10_000
    assert max(wrong) < hour_of(corrected)
    assert count < 32
