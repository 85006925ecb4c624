"""Kraken's files of history: which lines become candles, what a file speaks for, and what it does not."""

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.timeframes import EPOCH
from include.candles.validate import fault
from include.venues.errors import NoDataError, OutOfReachError, RequestRejectedError, VenueError
from include.venues.kraken_ohlcvt import KrakenOhlcvt, file_symbol
from include.venues.model import CandlePage

START = datetime(2013, 10, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AFTER = START + timedelta(days=4000)
PAIR = "XXBTZUSD"


def line(opened_at: datetime, rest: str = "122,123.61,121.5,122.4,0.1,3") -> str:
    return f"{(opened_at - EPOCH) // timedelta(seconds=1)},{rest}\n"


def hours(*numbers: int) -> str:
    return "".join(line(START + number * HOUR) for number in numbers)


def written(folder: Path, text: str, name: str = "XBTUSD_60.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


def read(
    folder: Any, start: int, end: int, now: datetime = LONG_AFTER, lines_per_page: int = 10_000
) -> tuple[list[CandlePage], VenueError | None]:
    """Pages of the hours [start, end) after START, and the error after them."""
    pages: list[CandlePage] = []
    source = KrakenOhlcvt(folder, lines_per_page=lines_per_page)
    try:
        pages.extend(source.candles(PAIR, "1h", START + start * HOUR, START + end * HOUR, now))
    except VenueError as error:
        return pages, error
    return pages, None


def opened(pages: list[CandlePage]) -> list[int]:
    return [(candle.opened_at - START) // HOUR for page in pages for candle in page.candles]


def test_a_line_is_a_candle_with_the_files_own_digits_and_without_vwap(tmp_path: Path) -> None:
    folder = written(tmp_path, line(START, "122,123.61,121.50,122.4,0.010000000000000002,3") + hours(1))
    ((page,), error) = read(folder, 0, 2)
    candle = page.candles[0]
    assert [str(x) for x in candle[1:6]] == ["122", "123.61", "121.50", "122.4", "0.010000000000000002"]
    assert (candle.trade_count, candle.vwap, candle.quote_volume) == (3, None, None)
    assert (page.start, page.end, page.source, page.world) == (START, START + 2 * HOUR, "kraken-ohlcvt", "live")
    assert error is None


def test_a_line_that_is_not_there_is_no_candle_and_no_gap_in_what_the_file_speaks_for(tmp_path: Path) -> None:
    folder = written(tmp_path, hours(0, 1, 5, 6))
    ((page,), error) = read(folder, 2, 5)
    assert (page.candles, page.start, page.end, error) == ([], START + 2 * HOUR, START + 5 * HOUR, None)
    assert opened(read(folder, 1, 6)[0]) == [1, 5]


@pytest.mark.parametrize(
    ("start", "end", "given", "missing"),
    [
        (0, 4, (2, 4), "0:00:00+00:00 to 2013-10-06 02"),
        (5, 12, (5, 9), "09:00:00+00:00 to 2013-10-06 12"),
        (0, 2, None, "0:00:00+00:00 to 2013-10-06 02"),
        (9, 11, None, "09:00:00+00:00 to 2013-10-06 11"),
    ],
)
def test_a_file_says_nothing_of_the_time_before_its_first_and_after_its_last_line(
    tmp_path: Path, start: int, end: int, given: tuple[int, int] | None, missing: str
) -> None:
    pages, error = read(written(tmp_path, hours(2, 3, 6, 8)), start, end)
    assert [(page.start, page.end) for page in pages] == (
        [(START + given[0] * HOUR, START + given[1] * HOUR)] if given else []
    )
    assert isinstance(error, OutOfReachError)
    assert missing in str(error)


def test_no_file_at_all_is_out_of_reach(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        pages, error = read(folder, 0, 4)
        assert (pages, type(error)) == ([], OutOfReachError)
        assert str(folder) in str(error)
    with pytest.raises(NoDataError):
        KrakenOhlcvt(tmp_path).first_open(PAIR, "1h", LONG_AFTER)


def test_quarters_in_folders_of_their_own_go_on_where_the_whole_history_ends(tmp_path: Path) -> None:
    written(tmp_path, hours(0, 1, 2, 3))
    written(tmp_path / "2013Q4", hours(2, 3, 4, 5))
    written(tmp_path / "2014Q1", hours(9, 10))
    pages, error = read(tmp_path, 0, 11)
    assert opened(pages) == [0, 1, 2, 3, 4, 5, 9, 10]
    assert [(page.start, page.end) for page in pages] == [
        (START, START + 4 * HOUR),
        (START + 4 * HOUR, START + 6 * HOUR),
        (START + 9 * HOUR, START + 11 * HOUR),
    ]
    assert "06:00:00+00:00 to 2013-10-06 09" in str(error), "between two files nothing is known"
    assert KrakenOhlcvt(tmp_path).first_open(PAIR, "1h", LONG_AFTER) == START
    assert read(tmp_path, 9, 11)[1] is None


@given(
    present=st.sets(st.integers(0, 60), min_size=1),
    lines_per_page=st.integers(1, 9),
    window=st.tuples(st.integers(-3, 63), st.integers(-3, 63)),
)
def test_every_line_of_the_window_comes_once_however_many_make_a_page(
    tmp_path_factory: pytest.TempPathFactory, present: set[int], lines_per_page: int, window: tuple[int, int]
) -> None:
    folder = written(tmp_path_factory.mktemp("files"), hours(*sorted(present)))
    pages, error = read(folder, *window, lines_per_page=lines_per_page)
    assert opened(pages) == [hour for hour in sorted(present) if window[0] <= hour < window[1]]
    spoken_for = (max(min(present), window[0]), min(max(present) + 1, window[1]))
    if spoken_for[0] < spoken_for[1]:
        assert ((pages[0].start - START) // HOUR, (pages[-1].end - START) // HOUR) == spoken_for
    assert all(before.end == after.start for before, after in pairwise(pages))
    assert (error is None) == (window[0] >= window[1] or spoken_for == window)


def test_the_evidence_is_the_bytes_that_show_it(tmp_path: Path) -> None:
    text = hours(0, 1, 2, 3, 4, 5)
    pages, _ = read(written(tmp_path, text), 1, 5, lines_per_page=2)
    for page in pages:
        path, _, span = page.request.partition("#bytes=")
        first, last = map(int, span.split("-"))
        content = Path(path).read_bytes()[first : last + 1]
        assert page.response_sha256 == hashlib.sha256(content).hexdigest()
        # The lines around a page show that what is between them is all there is.
        assert content.decode() == hours(
            *range((page.start - START) // HOUR - 1, min(6, (page.end - START) // HOUR + 1))
        )
    assert len(pages) > 1


def test_a_candle_that_is_not_closed_is_not_taken(tmp_path: Path) -> None:
    pages, error = read(written(tmp_path, hours(0, 1, 2)), 0, 3, now=START + 2.5 * HOUR)
    assert (opened(pages), error) == ([0, 1], None)


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("122,123.61,121.5,122.4,0.1", "line cannot be read"),
        ("122,123.61,121.5,122.4,0.1,3,1", "line cannot be read"),
        ("122,123.61,121.5,NaN,0.1,3", "line cannot be read"),
        ("122,123.61,121.5,122.4,-0.1,3", "line cannot be read"),
        ("122,123.61,121.5,122.4,0.1,3.5", "line cannot be read"),
        ("122,123.61,121.5,122.4,0.1,0", "line cannot be read"),
        ("122,120,121.5,122.4,0.1,3", "high is not the highest price"),
        ("0,123.61,0,122.4,0.1,3", "a price is not positive"),
        ("122,123.61,121.5,122.4,1e30,3", "base_volume has too many digits"),
    ],
)
def test_a_bad_line_is_kept_with_its_reason_beside_the_good_ones(tmp_path: Path, rest: str, reason: str) -> None:
    ((page,), error) = read(written(tmp_path, line(START, rest) + hours(1)), 0, 2)
    assert (opened([page]), error) == ([1], None)
    (row,) = page.rejected
    assert (row.opened_at, row.raw) == (START, line(START, rest).strip())
    assert row.reason.startswith(reason)


def test_a_line_without_trades_is_no_candle_and_no_bad_one(tmp_path: Path) -> None:
    ((page,), _) = read(written(tmp_path, line(START, "122,122,122,122,0,0") + hours(1)), 0, 2)
    assert (opened([page]), page.rejected) == ([1], [])


def test_a_volume_in_exponents_is_read(tmp_path: Path) -> None:
    ((page,), _) = read(written(tmp_path, line(START, "122,122,122,122,1e-08,1") + hours(1)), 0, 1)
    assert float(page.candles[0].base_volume) == 1e-8


@pytest.mark.parametrize(
    "text",
    [
        "time,open,high,low,close,volume,trades\n" + hours(0),
        hours(0, 1) + "\n" + hours(2, 3),
        "<html>confirm the download</html>\n",
        hours(0, 2, 1, 3),
        "1381017600" + "1" * 2000,
    ],
)
def test_what_is_no_such_file_is_not_used(tmp_path: Path, text: str) -> None:
    _, error = read(written(tmp_path, text), 0, 4)
    assert type(error) is RequestRejectedError


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from(["1381017600,", "122,", "1", "\n", "-", "e9", ","])).map(
        lambda parts: "".join(parts).encode()
    )
)
def test_any_bytes_give_candles_of_the_window_refused_lines_or_a_typed_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "XBTUSD_60.csv").write_bytes(content)
    pages, _ = read(folder, 0, 9)
    for page in pages:
        for candle in page.candles:
            assert fault(candle, "1h", START, START + 9 * HOUR) is None


@pytest.mark.parametrize(
    ("name", "stem"),
    [(PAIR, "XBTUSD"), ("XETHZEUR", "ETHEUR"), ("XETHXXBT", "ETHXBT"), ("BNBUSD", "BNBUSD"), ("XBTUSDT", "XBTUSDT")],
)
def test_files_are_named_by_what_a_pair_is_asked_by(name: str, stem: str) -> None:
    assert file_symbol(name) == stem


@pytest.mark.parametrize("timeframe", ["2h", "6h", "3m"])
def test_a_timeframe_without_files_is_refused(tmp_path: Path, timeframe: str) -> None:
    with pytest.raises(ValueError, match=f"kraken-ohlcvt has no timeframe '{timeframe}'"):
        next(KrakenOhlcvt(tmp_path).candles(PAIR, timeframe, START, LONG_AFTER, LONG_AFTER))


def test_files_may_lie_in_airflows_object_store(tmp_path: Path) -> None:
    from airflow.sdk import ObjectStoragePath

    written(tmp_path, hours(0, 1))
    written(tmp_path / "2013Q4", hours(2, 3))
    pages, error = read(ObjectStoragePath(f"file://{tmp_path}"), 0, 4)
    assert (opened(pages), error) == ([0, 1, 2, 3], None)
    assert pages[0].request.startswith("file://")


def test_a_recorded_history_comes_through_whole(market_data_dir: Path, tmp_path: Path) -> None:
    """Hours of 2013 to 2017 with most of the gaps: every line once, nothing refused, nothing put into the gaps."""
    rows = pq.read_table(market_data_dir / "kraken/ohlcvt_1h/XBTUSD.parquet").slice(0, 25_000).to_pylist()
    names = ("open", "high", "low", "close", "volume")
    folder = written(
        tmp_path,
        "".join(
            f"{r['time']},{','.join(f'{r[n]:.10f}'.rstrip('0').rstrip('.') for n in names)},{r['trades']}\n"
            for r in rows
        ),
    )
    first, last = (EPOCH + timedelta(seconds=rows[i]["time"]) for i in (0, -1))
    pages = list(KrakenOhlcvt(folder).candles(PAIR, "1h", first, last + HOUR, last + HOUR))
    assert [row for page in pages for row in page.rejected] == []
    candles = [candle for page in pages for candle in page.candles]
    assert [(candle.opened_at - EPOCH) // timedelta(seconds=1) for candle in candles] == [r["time"] for r in rows]
    assert [float(candle.close) for candle in candles] == [r["close"] for r in rows]
    assert (pages[0].start, pages[-1].end) == (first, last + HOUR)
    assert max(len(page.candles) for page in pages) <= 10_000
