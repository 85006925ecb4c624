"""What answers prove: the ledger's rules, one by one, against a real PostgreSQL."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from include.candles.batch import COLUMNS, CandleBatch
from include.candles.model import Candle, RejectedRow
from include.config.markets import Market
from include.coverage.attest import attest, record_out_of_reach
from include.coverage.equation import SeriesCoverage, coverage
from include.venues.model import CandlePage
from include.warehouse.archive import archive_month, drop_archived_month
from include.warehouse.candles import upsert_candles
from include.warehouse.connection import Connection
from include.warehouse.instruments import ensure_instrument

START = datetime(2024, 3, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = START + 24 * HOUR
OUTAGE = datetime(2020, 2, 9, 2, tzinfo=UTC)  # a single hour Binance is known to lack


def candle(opened_at: datetime) -> Candle:
    one = Decimal(1)
    return Candle(opened_at, one, one, one, one, one)


def answer(
    connection: Connection,
    hours: Collection[int],
    until: int = 10,
    *,
    since: int = 0,
    start: datetime = START,
    now: datetime = NOW,
    venue: str = "binance",
    source: str = "rest",
    refused: Collection[datetime | None] = (),
) -> int:
    """Store and attest an answer for the hours [since, until) after start that has candles at `hours`; the series."""
    market = Market(venue, "BTC/USDT", "BTCUSDT", datetime(2018, 1, 1, tzinfo=UTC))
    instrument_id = ensure_instrument(connection, market)
    candles = [candle(start + hour * HOUR) for hour in sorted(hours)]
    sha256 = hashlib.sha256(repr((sorted(hours), refused)).encode()).hexdigest()
    rejected = [RejectedRow("insane", "raw", at) for at in refused]
    window = (start + since * HOUR, start + until * HOUR)
    page = CandlePage(candles, rejected, "synthetic", source, "http://x/klines", sha256, *window)
    with connection.transaction():
        upsert_candles(connection, instrument_id, "1h", candles, source=source, world="synthetic", recorded_at=now)
        attest(connection, instrument_id, "1h", page, venue=venue, now=now)
    return instrument_id


def series(connection: Connection, now: datetime = NOW, **window: Any) -> SeriesCoverage:
    (only,) = coverage(connection, now, **window)
    assert only.equation.closes
    return only


def unknown(connection: Connection, now: datetime = NOW, start: datetime = START) -> list[tuple[int, int, str]]:
    """First hour, number of candles and reason of each unknown range."""
    found = series(connection, now, end=start + 10 * HOUR).unknown
    return [((each.span.start - start) // HOUR, each.candles, each.reason) for each in found]


def ledger(connection: Connection, start: datetime = START) -> list[tuple[int, int, str]]:
    rows = connection.execute("select lower(covers), upper(covers), state::text from market.coverage order by covers")
    return [((a - start) // HOUR, (b - start) // HOUR, state) for a, b, state in rows]


def counts(connection: Connection) -> tuple[int, int]:
    row = connection.execute(
        "select (select count(*) from market.attestation), (select max(coverage_id) from market.coverage)"
    )
    return row.fetchone() or (0, 0)


def test_a_full_answer_leaves_nothing_to_explain(writer: Connection) -> None:
    answer(writer, range(10))
    found = series(writer, START + 10 * HOUR)
    assert found.equation._asdict() == {
        "expected": 10, "observed": 10, "archived": 0, "empty": 0, "outage": 0, "out_of_reach": 0, "pending": 0,
        "unknown": 0,
    }  # fmt: skip
    assert found.equation.is_complete
    assert ledger(writer) == []


def test_the_same_answer_again_adds_nothing(writer: Connection) -> None:
    for _ in range(2):
        answer(writer, [0, 1, 4])
    assert counts(writer)[0] == 1
    for _ in range(2):
        answer(writer, [0, 1, 4], now=NOW + HOUR)
    assert counts(writer)[0] == 1
    before = counts(writer)
    answer(writer, [0, 1, 4], now=NOW + 5 * HOUR)
    assert counts(writer) == before


def test_one_silence_proves_nothing(writer: Connection) -> None:
    answer(writer, [0, 1, 2, 5, 6, 7, 8, 9])
    assert unknown(writer) == [(3, 2, "unconfirmed")]
    answer(writer, [0, 1, 2, 5, 6, 7, 8, 9], now=NOW + timedelta(minutes=59))
    assert unknown(writer) == [(3, 2, "unconfirmed")]


def test_a_later_answer_confirms_it(writer: Connection) -> None:
    answer(writer, [0, 1, 2, 5, 6, 7, 8, 9])
    answer(writer, [5, 6, 7, 8, 9], since=4, now=NOW + HOUR)
    assert ledger(writer) == [(4, 5, "empty")]
    assert unknown(writer) == [(3, 1, "unconfirmed")]
    answer(writer, [0, 1, 2, 5, 6, 7, 8, 9], now=NOW + 2 * HOUR)
    assert ledger(writer) == [(3, 5, "empty")]
    assert unknown(writer) == []


def test_another_source_confirms_it_at_once(writer: Connection) -> None:
    answer(writer, [0, 1, 2, 4, 5, 6, 7, 8, 9])
    answer(writer, [0, 1, 2, 4, 5, 6, 7, 8, 9], source="archive")
    assert ledger(writer) == [(3, 4, "empty")]


def test_a_known_outage_is_one_at_once(writer: Connection) -> None:
    start = OUTAGE - 3 * HOUR
    answer(writer, [0, 1, 2, 4, 5, 7, 8, 9], start=start)
    assert ledger(writer, start) == [(3, 4, "outage")]
    row = writer.execute("select reason, attestation_id is not null from market.coverage").fetchone()
    assert row == ("binance was out from 2020-02-09 02:00:00 to 2020-02-09 03:00:00 UTC", True)
    assert unknown(writer, start=start) == [(6, 1, "unconfirmed")]


def test_another_venues_outage_explains_nothing(writer: Connection) -> None:
    start = OUTAGE - 3 * HOUR
    answer(writer, [0, 1, 2, 4, 5, 6, 7, 8, 9], start=start, venue="kraken", now=start + 11 * HOUR)
    assert ledger(writer, start) == []


def test_a_venue_that_omits_empty_intervals_is_believed_when_they_have_settled(writer: Connection) -> None:
    answer(writer, [0, 1, 6, 7, 8, 9], venue="coinbase", now=START + 28 * HOUR + timedelta(minutes=30))
    assert ledger(writer) == [(2, 4, "empty")]  # closed more than a day before the answer
    assert unknown(writer, START + 29 * HOUR) == [(4, 2, "unconfirmed")]
    answer(writer, [0, 1, 6, 7, 8, 9], venue="coinbase", now=START + 30 * HOUR)
    assert ledger(writer) == [(2, 6, "empty")]


def test_even_such_a_venue_has_to_say_it_twice_where_the_silence_is_long(writer: Connection) -> None:
    settled = START + 60 * HOUR
    answer(writer, [0, 9], venue="coinbase", now=settled)
    assert ledger(writer) == []
    assert unknown(writer, settled)[0] == (1, 8, "unconfirmed")
    answer(writer, [0, 9], venue="coinbase", now=settled + HOUR)
    assert ledger(writer) == [(1, 9, "empty")]


def test_a_candle_that_comes_later_shrinks_the_ledger(writer: Connection) -> None:
    for hours in range(2):
        answer(writer, [0, 1, 7, 8, 9], now=NOW + hours * HOUR)
    assert ledger(writer) == [(2, 7, "empty")]
    answer(writer, [4], since=4, until=5, now=NOW + 3 * HOUR)
    assert ledger(writer) == [(2, 4, "empty"), (5, 7, "empty")]
    answer(writer, range(10), now=NOW + 4 * HOUR)
    assert ledger(writer) == []
    assert series(writer, START + 10 * HOUR).equation.is_complete


def test_the_equation_follows_the_table_even_where_nobody_attested_the_candle(writer: Connection) -> None:
    for hours in range(2):
        instrument_id = answer(writer, [0, 1, 3, 4, 5, 6, 7, 8, 9], now=NOW + hours * HOUR)
    late = [candle(START + 2 * HOUR)]
    upsert_candles(writer, instrument_id, "1h", late, source="rest", world="synthetic", recorded_at=NOW)
    found = series(writer, START + 10 * HOUR)
    assert (found.equation.observed, found.equation.empty) == (10, 0)


def test_what_an_answer_once_had_is_not_explained_away(writer: Connection) -> None:
    answer(writer, range(10))
    writer.execute("delete from market.candle where opened_at = %s", (START + 5 * HOUR,))
    for hours in range(1, 4):
        answer(writer, [0, 1, 2, 3, 4, 6, 7, 8, 9], now=NOW + hours * HOUR)
    record_out_of_reach(writer, 1, "1h", START, START + 10 * HOUR, "gone", NOW)
    assert ledger(writer) == []
    (only,) = series(writer, start=START, end=START + 10 * HOUR).unknown
    assert (only.reason, only.candles) == ("deleted", 1)
    assert "answer 1 of rest at 2024-03-05 00:00:00 with 10 candles had it" in only.evidence


def test_a_refused_row_is_not_empty(writer: Connection) -> None:
    for hours in range(3):
        answer(writer, [0, 1, 2, 5, 6, 7, 8, 9], now=NOW + hours * HOUR, refused=[START + 3 * HOUR])
    assert ledger(writer) == [(4, 5, "empty")]
    assert unknown(writer) == [(3, 1, "quarantined")]


def test_what_was_empty_and_is_refused_now_is_unknown_again(writer: Connection) -> None:
    for hours in range(2):
        answer(writer, [0, 1, 2, 5, 6, 7, 8, 9], now=NOW + hours * HOUR)
    answer(writer, [0, 1, 2, 5, 6, 7, 8, 9], now=NOW + 3 * HOUR, refused=[START + 3 * HOUR + timedelta(minutes=1)])
    assert ledger(writer) == [(4, 5, "empty")]
    assert unknown(writer) == [(3, 1, "quarantined")]


def test_beside_a_row_that_cannot_be_read_no_silence_counts(writer: Connection) -> None:
    for hours in range(3):
        answer(writer, [0, 1, 2, 5, 6, 7, 8, 9], now=NOW + hours * HOUR, refused=[None])
    assert ledger(writer) == []
    assert unknown(writer) == [(3, 2, "quarantined")]


def test_a_long_answer_without_any_row_proves_nothing(writer: Connection) -> None:
    answer(writer, range(10))
    for hours in range(3):
        answer(writer, [], since=10, until=10 + 49, now=NOW + 50 * HOUR + hours * HOUR)
    assert ledger(writer) == []
    answer(writer, [], since=10, until=20, now=NOW + 60 * HOUR)
    assert ledger(writer) == [(10, 20, "empty")]


def test_out_of_reach_is_put_down_where_nothing_is_known(writer: Connection) -> None:
    for hours in range(2):
        instrument_id = answer(writer, [4, 5, 7, 8, 9], since=3, now=NOW + hours * HOUR)
    for _ in range(2):
        start = START - timedelta(minutes=30)
        record_out_of_reach(writer, instrument_id, "1h", start, START + 10 * HOUR, "720 candles", NOW)
    assert ledger(writer) == [(0, 3, "out_of_reach"), (3, 4, "empty"), (6, 7, "empty")]
    found = series(writer, START + 10 * HOUR)
    assert (found.equation.expected, found.equation.out_of_reach, found.equation.is_complete) == (10, 3, True)
    answer(writer, [0, 1, 2], until=3, source="file")  # another source reaches them after all
    assert ledger(writer) == [(3, 4, "empty"), (6, 7, "empty")]


def test_neighbours_become_one_row_and_apart_they_stay(writer: Connection) -> None:
    for hours in range(2):
        answer(writer, [0, 1, 4], since=0, until=5, now=NOW + hours * HOUR)
        answer(writer, [8, 9], since=5, until=10, now=NOW + hours * HOUR)
        answer(writer, [], since=5, until=7, now=NOW + (hours + 2) * HOUR)
    assert ledger(writer) == [(2, 4, "empty"), (5, 8, "empty")]
    answer(writer, [4, 8], since=4, until=9, now=NOW + 9 * HOUR)
    assert ledger(writer) == [(2, 4, "empty"), (5, 8, "empty")]
    writer.execute("delete from market.candle where opened_at = %s", (START + 4 * HOUR,))
    assert unknown(writer) == [(4, 1, "deleted")]


def test_a_candle_is_pending_for_a_while_unless_an_answer_had_it(writer: Connection) -> None:
    answer(writer, range(10))
    assert series(writer, START + 11 * HOUR).equation.pending == 1
    assert series(writer, START + 12 * HOUR + timedelta(minutes=29)).equation.pending == 2
    late = series(writer, START + 12 * HOUR + timedelta(minutes=30))
    assert (late.equation.pending, late.equation.unknown) == (1, 1)
    assert [each.reason for each in late.unknown] == ["never_asked"]
    writer.execute("delete from market.candle where opened_at = %s", (START + 9 * HOUR,))
    assert [each.reason for each in series(writer, START + 10 * HOUR).unknown] == ["deleted"]


def test_deleting_the_first_or_the_last_or_every_candle_is_noticed(writer: Connection) -> None:
    answer(writer, range(10))
    for delete, hours in (("opened_at < %s", 2), ("opened_at >= %s", 8), ("opened_at is distinct from %s", 10)):
        writer.execute(f"delete from market.candle where {delete}", (START + (2 if hours == 2 else 8) * HOUR,))
        found = series(writer, START + 10 * HOUR)
        assert not found.equation.is_complete
    assert (found.equation.expected, found.equation.unknown) == (10, 10)


def test_nothing_is_expected_before_the_listing_or_after_the_delisting(writer: Connection) -> None:
    answer(writer, range(10))
    writer.execute("update market.instrument set listed_at = %s", (START - 2 * HOUR,))
    found = series(writer, start=START - 500 * HOUR, end=START + 10 * HOUR)
    assert (found.equation.expected, found.equation.unknown) == (12, 2)
    writer.execute("update market.instrument set delisted_at = %s", (START + 12 * HOUR + timedelta(minutes=5),))
    found = series(writer, NOW + 100 * HOUR)
    assert (found.equation.expected, found.equation.observed, found.equation.unknown) == (13, 10, 3)


def test_months_are_counted_apart(writer: Connection) -> None:
    start = datetime(2024, 2, 29, 20, tzinfo=UTC)
    answer(writer, [0, 1, 2, 3, 4, 6, 7, 8, 9], start=start)
    months = series(writer, start + 10 * HOUR).months
    assert [(month, each.expected, each.observed, each.unknown) for month, each in months.items()] == [
        (date(2024, 2, 1), 4, 4, 0),
        (date(2024, 3, 1), 6, 5, 1),
    ]


def test_an_archived_month_counts_as_observed_and_tells_what_it_lacks(writer: Connection, tmp_path: Path) -> None:
    start = datetime(2024, 2, 29, 14, tzinfo=UTC)
    for hours in range(2):
        instrument_id = answer(
            writer, [0, 1, 2, 4, 5, 7, 8, 9], start=start, now=NOW + hours * HOUR, refused=[start + 6 * HOUR]
        )
    archive_month(writer, tmp_path, instrument_id, "1h", date(2024, 2, 1), NOW)
    drop_archived_month(writer, tmp_path, instrument_id, "1h", date(2024, 2, 1), NOW)
    found = series(writer, start + 10 * HOUR)
    assert (found.equation.observed, found.equation.archived, found.equation.empty) == (8, 8, 1)
    assert [(each.reason, each.candles) for each in found.unknown] == [("archived_short", 1)]


def test_a_batch_of_columns_is_attested_as_its_candles_are(writer: Connection) -> None:
    instrument_id = answer(writer, [0])
    opened = [int((START + hour * HOUR).timestamp() * 1000) for hour in (1, 2, 4)]
    figures = np.ones((len(COLUMNS), 3), np.int64)
    figures[0] = opened
    window = START + HOUR, START + 6 * HOUR
    page = CandlePage(CandleBatch(figures), [], "synthetic", "rest", "x", "0" * 64, *window)
    attest(writer, instrument_id, "1h", page, venue="binance", now=NOW)
    row = writer.execute("select absent::text, candle_count from market.attestation where response_sha256 like '000%'")
    text, number = row.fetchone() or ("", 0)
    assert number == 3
    assert text.count("2024-03-04 03:00") == text.count("2024-03-04 05:00") == 1


@pytest.mark.parametrize("shift", [timedelta(minutes=1), timedelta(seconds=1)])
def test_an_answer_has_to_cover_whole_candles(writer: Connection, shift: timedelta) -> None:
    instrument_id = answer(writer, range(10))
    page = CandlePage([], [], "synthetic", "rest", "x", "0" * 64, START, START + HOUR + shift)
    with pytest.raises(ValueError, match="cannot cover"):
        attest(writer, instrument_id, "1h", page, venue="binance", now=NOW)


def test_the_database_refuses_an_answer_that_does_not_add_up_and_a_ledger_that_overlaps(writer: Connection) -> None:
    instrument_id = answer(writer, range(10))
    page = CandlePage([candle(START + 20 * HOUR)], [], "synthetic", "rest", "x", "0" * 64, START, START + 3 * HOUR)
    with pytest.raises(psycopg.errors.CheckViolation, match="attestation_adds_up"):
        attest(writer, instrument_id, "1h", page, venue="binance", now=NOW)
    insert = (
        "insert into market.coverage (instrument_id, timeframe, covers, state, reason, recorded_at)"
        " values (%s, '1h', tstzrange(%s, %s), 'out_of_reach', 'x', now())"
    )
    writer.execute(insert, (instrument_id, START, START + 5 * HOUR))
    with pytest.raises(psycopg.errors.ExclusionViolation):
        writer.execute(insert, (instrument_id, START + 4 * HOUR, START + 6 * HOUR))


def test_evidence_cannot_be_rewritten(writer: Connection) -> None:
    answer(writer, range(10))
    for forgery in ("update market.attestation set request = 'y'", "delete from market.attestation"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(forgery)


@pytest.mark.parametrize("seed", range(2))
def test_any_sequence_of_answers_leaves_the_ledger_its_rules_say(writer: Connection, seed: int) -> None:
    chosen = random.Random(seed)
    told: dict[int, list[tuple[datetime, str, str]]] = {hour: [] for hour in range(10)}
    empty: set[int] = set()
    now = NOW
    for _ in range(30):
        now += timedelta(minutes=chosen.choice([10, 30, 90]))
        since = chosen.randrange(9)
        until = chosen.randrange(since + 1, 11)
        source = chosen.choice(["rest", "rest", "archive"])
        verdicts = {hour: chosen.choices(["candle", "absent", "refused"], [1, 6, 1])[0] for hour in range(since, until)}
        hours = [hour for hour, verdict in verdicts.items() if verdict == "candle"]
        refused = [START + hour * HOUR for hour, verdict in verdicts.items() if verdict == "refused"]
        answer(writer, hours, until, since=since, now=now, source=source, refused=refused)
        for hour, verdict in verdicts.items():
            before = told[hour]
            if verdict != "absent":
                empty.discard(hour)
            elif all(word != "candle" for _, _, word in before) and any(
                word == "absent" and (other != source or at <= now - HOUR) for at, other, word in before
            ):
                empty.add(hour)
            before.append((now, source, verdict))
        if chosen.random() < 0.2:
            writer.execute("delete from market.candle where opened_at = %s", (START + chosen.randrange(10) * HOUR,))
    assert {hour for first, end, _ in ledger(writer) for hour in range(first, end)} == empty
    held = {(row[0] - START) // HOUR for row in writer.execute("select opened_at from market.candle")}
    found = series(writer, now, start=START, end=START + 10 * HOUR)
    assert (found.equation.observed, found.equation.empty) == (len(held), len(empty - held))
    reasons = {
        (each.span.start - START) // HOUR + n: each.reason for each in found.unknown for n in range(each.candles)
    }
    assert set(reasons) == set(range(10)) - held - empty
    for hour, reason in reasons.items():
        words = {word for _, _, word in told[hour]}
        expected = ("candle", "deleted"), ("refused", "quarantined"), ("absent", "unconfirmed")
        assert reason == next((name for word, name in expected if word in words), "never_asked")
