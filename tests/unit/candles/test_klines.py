"""Klines as columns and row by row: the same candles and the same verdicts, for any bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.batch import CandleBatch
from include.candles.klines import Klines, klines_of, parse_kline_csv, parse_kline_json
from include.candles.timeframes import EPOCH

START = datetime(2024, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = START + 5 * HOUR


def ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def kline(hour: int = 0, **changed: Any) -> list[Any]:
    """A kline of the usual form, `hour` hours after START, with columns replaced: `c4="1.00000000"`."""
    opened = ms(START + hour * HOUR)
    row: list[Any] = [opened, "10.00000000", "12.00000000", "9.00000001", "11.00000000", "5.10000000"]
    row += [opened + 3_599_999, "52.00000000", 3, "2.00000000", "21.00000000", "0"]
    for column, value in changed.items():
        row[int(column[1:])] = value
    return row


def as_json(rows: list[Any]) -> bytes:
    return json.dumps(rows, separators=(",", ":")).encode()


def as_csv(rows: list[list[Any]]) -> bytes:
    return b"".join(",".join(map(str, row)).encode() + b"\n" for row in rows)


def told(klines: Klines) -> tuple[Any, ...]:
    """All that can be learnt of klines, decimals as their texts."""
    verdicts = [klines.valid("1h", START, END), klines.valid("1h", START, END, START + 2 * HOUR)]
    return klines.newest(), [(str(list(good)), rejected) for good, rejected in verdicts]


def agrees(klines: Klines) -> None:
    """What the columns say is what the rows say."""
    assert told(klines) == told(Klines(None, klines.read))


digits = st.integers(0, 10**11).map(str)
figure = st.one_of(
    st.tuples(digits, st.integers(0, 10**8 - 1)).map(lambda two: f"{two[0]}.{two[1]:08}"),
    st.tuples(digits, digits).map(".".join),
    st.sampled_from(["10.00000000", "12.00000000", "0.00000000", "007.00000000", "-1.00000000", "1", "", ".", "NaN"]),
    st.text(max_size=4),
    st.none(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False).map(float),
)
stamp = st.one_of(
    st.integers(-2, 6).map(lambda hour: ms(START + hour * HOUR)),
    st.integers(-(10**18), 10**18),
    st.sampled_from([ms(START) + 1, ms(START) * 1000, 0, True, None, "1", 1.5, 10**14, 10**30]),
)


@st.composite
def klines(draw: st.DrawFn) -> list[Any]:
    """Rows of the usual form, some of them spoilt in a column or two."""
    rows = [kline(draw(st.integers(-1, 5))) for _ in range(draw(st.integers(0, 4)))]
    for row in rows:
        for column in draw(st.lists(st.integers(0, 11), max_size=2)):
            row[column] = draw(stamp if column in {0, 6} else st.one_of(st.integers(0, 5), figure))
        if draw(st.integers(0, 19)) == 0:
            row.pop()
    return rows


edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 2), st.sampled_from([*b'0123456789.,"[]- \n\re+ax\x00\xff'])), max_size=3
)


def edited(body: bytes, changes: list[tuple[float, int, int]]) -> bytes:
    """The body with bytes inserted, replaced or removed."""
    for where, removed, byte in changes:
        at = int(where * len(body))
        body = body[:at] + (bytes([byte]) if removed < 2 else b"") + body[at + min(removed, 1) :]
    return body


@given(klines())
def test_json_rows_are_judged_alike_as_columns_and_one_by_one(rows: list[Any]) -> None:
    body = as_json(rows)
    parsed = parse_kline_json(body)
    by_row = klines_of(json.loads(body, parse_float=Decimal))
    assert told(parsed or by_row) == told(by_row)


@given(st.lists(st.integers(-1, 5).map(kline), min_size=1, max_size=3), edits)
def test_a_json_body_read_as_columns_is_json_and_means_the_same(
    rows: list[Any], changes: list[tuple[float, int, int]]
) -> None:
    body = edited(as_json(rows), changes)
    parsed = parse_kline_json(body)
    if parsed is not None:
        assert told(parsed) == told(klines_of(json.loads(body, parse_float=Decimal)))
    else:
        assert body != as_json(rows)


@given(klines(), edits)
def test_csv_lines_are_judged_alike_as_columns_and_one_by_one(
    rows: list[Any], changes: list[tuple[float, int, int]]
) -> None:
    agrees(parse_kline_csv(edited(as_csv(rows), changes)))


@pytest.mark.parametrize("byte", ["", *'019.,"[]-e \n'])
def test_whichever_byte_is_changed_added_or_missing_the_verdict_is_the_rows(byte: str) -> None:
    json_body, csv_body = as_json([kline(0), kline(1)]), as_csv([kline(0), kline(1)])
    for body in (json_body, csv_body):
        for at in range(len(body) + 1):
            for removed in (0, 1):
                near = body[:at] + byte.encode() + body[at + removed :]
                if body is csv_body:
                    agrees(parse_kline_csv(near))
                elif parsed := parse_kline_json(near):
                    assert told(parsed) == told(klines_of(json.loads(near, parse_float=Decimal)))


@pytest.mark.parametrize("column", range(12))
def test_an_empty_column_is_a_row_that_cannot_be_read_or_one_that_nobody_reads(column: int) -> None:
    klines = parse_kline_csv(as_csv([kline(0, **{f"c{column}": ""})]))
    agrees(klines)
    assert bool(klines.valid("1h", START, END)[0]) == (column in {6, 11})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((5, f"{digits}.00000000") for digits in ("9" * 10, "9" * 11, "9" * 12, "9" * 19, "0" * 20)),
        *((0, value) for value in (10**13, 10**13 + 1000, 10**13 + 1, 10**14 - 1, 10**14, 10**15, 10**16 - 1, 10**17)),
        *((0, ms(START) * 1000 + value) for value in (0, 1, 999, 3_600_000_000)),
        *((8, value) for value in (0, 10**18 - 1, 10**18, 2**63 - 1, 2**63, 10**25)),
    ],
)
def test_great_numbers_overflow_nothing(column: int, value: Any) -> None:
    rows = [kline(0, **{f"c{column}": value})]
    agrees(parse_kline_csv(as_csv(rows)))
    by_row = klines_of(rows)
    assert told(parse_kline_json(as_json(rows)) or by_row) == told(by_row)


@given(st.binary())
def test_no_bytes_crash_the_csv_reader_and_no_line_is_lost(body: bytes) -> None:
    good, rejected = parse_kline_csv(body).valid("1h", START, END)
    lines = body.decode("utf-8", "replace").split("\n")
    if not lines[-1]:
        lines.pop()
    if body[:1].isalpha():
        lines.pop(0)
    assert (list(good), [row.raw for row in rejected]) == ([], lines)


@given(st.recursive(st.none() | st.integers() | st.text() | st.booleans(), lambda inner: st.lists(inner, max_size=12)))
def test_no_json_crashes_the_row_reader(row: Any) -> None:
    good, rejected = klines_of([row]).valid("1h", START, END)
    assert (list(good), len(rejected)) == ([], 1)


@pytest.mark.parametrize(
    "read", [lambda rows: parse_kline_json(as_json(rows)), lambda rows: parse_kline_csv(as_csv(rows))]
)
def test_the_usual_form_is_read_as_columns(read: Callable[[Any], Klines]) -> None:
    klines = read([kline(hour) for hour in range(5)])
    good, rejected = klines.valid("1h", START, END)
    assert isinstance(good, CandleBatch)
    assert (len(good), rejected, klines.newest()) == (5, [], START + 4 * HOUR)
    assert [str(figure) for figure in good[0][1:7]] == [*kline()[1:6], kline()[7]]
    assert (good[0].trade_count, good[0].vwap, str(good[0].taker_buy_quote_volume)) == (3, None, "21.00000000")
    agrees(klines)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"c2": "10.99999999"}, "high is not the highest price"),
        ({"c3": "0.00000000"}, "a price is not positive"),
        ({"c9": "5.10000001"}, "taker buy base volume exceeds base volume"),
        ({"c0": ms(START) + 1}, "open time is not a multiple of 1h"),
        ({"c0": ms(END)}, "open time lies outside the window that was asked for"),
        ({"c5": "1234567890123456789.00000000"}, "base_volume has too many digits"),
        ({"c1": "-1.00000000"}, "a price is not positive"),
        ({"c4": "1e3"}, "row cannot be read: ValueError(\"figure '1e3' is not a decimal\")"),
    ],
)
@pytest.mark.parametrize("usual", ["json", "csv"])
def test_a_fault_is_named_and_the_row_kept_as_it_came(changed: dict[str, Any], reason: str, usual: str) -> None:
    rows = [kline(0), kline(1, **changed)]
    if usual == "json":
        klines, raw = parse_kline_json(as_json(rows)) or klines_of(rows), as_json([rows[1]])[1:-1]
    else:
        klines, raw = parse_kline_csv(as_csv(rows)), as_csv([rows[1]])[:-1]
    good, (refused,) = klines.valid("1h", START, END)
    assert [candle.opened_at for candle in good] == [START]
    assert (refused.reason, refused.raw) == (reason, raw.decode())
    assert refused.opened_at == EPOCH + timedelta(milliseconds=rows[1][0])


def test_an_unreadable_row_keeps_its_time_where_it_has_one() -> None:
    rows = [kline(0, c4=None), [], kline(1)[:3], kline(0, c0="x"), "text", None, {}]
    klines = klines_of(rows)
    good, rejected = klines.valid("1h", START, END)
    assert (good, klines.newest()) == ([], START + HOUR)
    assert [row.opened_at for row in rejected] == [START, None, START + HOUR, None, None, None, None]


def test_files_hold_milliseconds_or_microseconds_with_or_without_header_and_last_line_end() -> None:
    plain = as_csv([kline(0), kline(1)])
    fine = as_csv([kline(hour, c0=ms(START + hour * HOUR) * 1000) for hour in (0, 1)])
    header = b"open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore\n"
    expected = told(parse_kline_csv(plain))
    assert len(parse_kline_csv(plain).valid("1h", START, END)[0]) == 2
    for body in (plain[:-1], fine, header + plain, header + fine[:-1]):
        klines = parse_kline_csv(body)
        assert told(klines) == expected
        assert klines.batch is not None
    mixed = parse_kline_csv(plain[: plain.index(b"\n") + 1] + fine[fine.index(b"\n") + 1 :])
    assert told(mixed) == expected
    assert told(parse_kline_csv(plain.replace(b"\n", b"\r\n"))) == expected


def test_a_microsecond_off_is_refused_and_not_rounded() -> None:
    body = as_csv([kline(0, c0=ms(START) * 1000 + 1)])
    good, (refused,) = parse_kline_csv(body).valid("1h", START, END)
    assert (good, refused.reason) == ([], "open time is not a multiple of 1h")
    assert refused.opened_at == START + timedelta(microseconds=1)


def test_an_empty_file_or_answer_holds_nothing() -> None:
    assert parse_kline_json(b"[]") is None
    assert parse_kline_json(b"") is None
    for klines in (klines_of([]), parse_kline_csv(b""), parse_kline_csv(b"open_time,open\n")):
        assert (klines.valid("1h", START, END), klines.newest()) == (([], []), None)


def test_recorded_files_and_pages_are_read_as_columns(market_data_dir: Path) -> None:
    folder = market_data_dir / "binance"
    files = sorted((folder / "vision_csv").glob("*.csv.gz"))
    pages = sorted((folder / "raw_rest_pages").glob("*USDT_1h_*.json.gz"))
    assert files
    assert pages
    long_ago, far_ahead = datetime(2010, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    for path in [*files, *pages]:
        body = gzip.decompress(path.read_bytes())
        klines = parse_kline_csv(body) if path in files else parse_kline_json(as_json(json.loads(body)))
        assert klines is not None
        assert klines.batch is not None, path
        good, rejected = klines.valid("1h", long_ago, far_ahead)
        assert (good, rejected) == Klines(None, klines.read).valid("1h", long_ago, far_ahead)
        # In February 2018 the venue opened hours at odd milliseconds; nothing else is wrong in years.
        assert {row.reason for row in rejected} <= {"open time is not a multiple of 1h"}
        assert len(good) > 10 * len(rejected)
