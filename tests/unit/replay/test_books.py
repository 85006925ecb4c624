"""Books of other exchanges than Binance: recorded and synthetic, and as of the clock."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from include.replay import bars as b
from include.replay.clock import ReplayClock
from include.replay.current import CurrentBook
from include.replay.errors import NotServedError
from include.replay.recorded import RecordedWorld
from include.replay.synthetic import SyntheticWorld
from include.replay.world import DAY_MS, HOUR_MS, Book, forming, klines, last_price, rolling_day

GENESIS = datetime(2024, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ms(text: str) -> int:
    return int(at(text).timestamp() * 1000)


def hours(book: Book, symbol: str, start: str, end: str, timeframe: str = "1h") -> b.Bars:
    return book.closed(symbol, timeframe, ms(start), ms(end), 10**6, False)


def test_recorded_markets_are_in_our_spelling_with_the_span_of_their_data(recorded_world: RecordedWorld) -> None:
    kraken, coinbase = recorded_world.book("kraken"), recorded_world.book("coinbase")
    assert set(kraken.markets) == {"BTC/USD", "ETH/USD", "BTC/USDT", "ETH/USDT"}
    assert set(coinbase.markets) == {"BTC/USD", "ETH/USD"}
    assert recorded_world.book("kraken") is kraken
    assert recorded_world.book("bitstamp").markets == {}
    assert kraken.markets["BTC/USD"].spans == ((ms("2013-10-06T21:00"), ms("2023-01-07T10:00")),)
    spans = [(ms("2017-07-01T11:00"), ms("2020-10-24T07:00")), (ms("2024-04-18T17:00"), ms("2025-02-01"))]
    assert list(coinbase.markets["BTC/USD"].spans) == spans
    assert kraken.markets["BTC/USD"].precision.tick == 10**7
    assert coinbase.markets["ETH/USD"].precision.tick == 10**6


def test_recorded_hours_keep_what_was_recorded_and_invent_nothing(recorded_world: RecordedWorld) -> None:
    (row,) = hours(recorded_world.book("kraken"), "BTC/USD", "2023-01-07T09:00", "2023-01-07T10:00").tolist()
    open_time = ms("2023-01-07T09:00")
    prices = [1693540000000, 1693540000000, 1693530000000, 1693530000000]
    assert row == [open_time, *prices, 67357695, open_time + HOUR_MS - 1, 0, 106, 0, 0]
    (coinbase,) = hours(recorded_world.book("coinbase"), "ETH/USD", "2024-04-18T17:00", "2024-04-18T18:00").tolist()
    assert coinbase[b.OPEN : b.BASE + 1] == [306434000000, 307200000000, 303441000000, 303973000000, 358752320530]
    assert coinbase[b.QUOTE] == coinbase[b.TRADES] == 0


def test_recorded_hours_ascend_each_once_and_fillers_of_the_vendor_are_left_out(recorded_world: RecordedWorld) -> None:
    bars = hours(recorded_world.book("coinbase"), "BTC/USD", "2017-07-01", "2020-11-01")
    opens = bars[:, b.OPEN_TIME]
    assert np.all(np.diff(opens) > 0)
    assert len(opens) == 29061 - 5 - 35
    assert bars[:, b.BASE].min() > 0
    assert not np.isin(opens, [ms("2018-08-10T05:00"), ms("2017-09-22T21:00")]).any()


def test_longer_timeframes_are_folded_and_shorter_ones_not_served(recorded_world: RecordedWorld) -> None:
    kraken = recorded_world.book("kraken")
    (day,) = hours(kraken, "ETH/USD", "2022-03-03", "2022-03-04", "1d").tolist()
    day_hours = hours(kraken, "ETH/USD", "2022-03-03", "2022-03-04")
    assert day == b.fold(day_hours, DAY_MS)[0].tolist()
    assert day[b.TRADES] == day_hours[:, b.TRADES].sum()
    for timeframe in ("1m", "15m", "30m"):
        with pytest.raises(NotServedError, match=f"no {timeframe} candles"):
            hours(kraken, "ETH/USD", "2022-03-03", "2022-03-04", timeframe)
    now = ms("2022-03-03T05:20")
    assert klines(kraken, "ETH/USD", "4h", None, None, 3, now)[-1, b.OPEN_TIME] == ms("2022-03-03T04:00")
    assert len(rolling_day(kraken, "ETH/USD", now)) == 1


def test_a_folder_without_the_files_has_no_such_markets(market_data_dir: Path, tmp_path: Path) -> None:
    for name in ("binance", "alternative_me"):
        (tmp_path / name).symlink_to(market_data_dir / name)
    assert RecordedWorld(tmp_path).book("kraken").markets == {}


@pytest.mark.parametrize(
    ("now", "listed", "first"),
    [
        ("2017-07-01T10:59", set(), None),
        ("2020-10-01", {"BTC/USD"}, "2017-07-01T11:00"),
        ("2022-01-01", set(), None),
        ("2024-12-01", {"BTC/USD", "ETH/USD"}, "2024-04-18T17:00"),
    ],
)
def test_the_current_book_lists_what_reaches_the_clock(
    recorded_world: RecordedWorld, now: str, listed: set[str], first: str | None
) -> None:
    book = CurrentBook(recorded_world.book("coinbase"), ReplayClock(at(now), speed=0))
    assert set(book.markets) == listed
    bars = book.closed("BTC/USD", "1h", 0, ms(now), 10**6, False)
    assert (bars[0, b.OPEN_TIME] if len(bars) else None) == (ms(first) if first else None)
    days = book.closed("BTC/USD", "1d", 0, ms(now), 10**6, False)
    assert (days[0, b.OPEN_TIME] if len(days) else None) == (ms(first[:10]) if first else None)
    assert book.finer("BTC/USD", "1d") == "1h"


@pytest.fixture
def synthetic() -> SyntheticWorld:
    return SyntheticWorld(7, GENESIS)


@pytest.mark.parametrize(("venue", "symbol"), [("kraken", "BTC/USD"), ("coinbase", "BNB/USD"), ("coinbase", "XRP/USD")])
def test_synthetic_hours_follow_binance_within_a_small_basis(
    synthetic: SyntheticWorld, venue: str, symbol: str
) -> None:
    theirs = hours(synthetic, symbol.replace("/USD", "USDT"), "2024-01-01", "2024-04-01")
    bars = hours(synthetic.book(venue), symbol, "2024-01-01", "2024-04-01")
    assert bars[:, b.OPEN_TIME].tolist() == theirs[:, b.OPEN_TIME].tolist()
    basis = np.log(bars[:, b.CLOSE] / theirs[:, b.CLOSE])
    assert 1e-4 < basis.std() < 5e-4
    assert abs(basis.mean()) < 1e-4
    assert np.abs(basis).max() < 2e-3
    assert bars[1:, b.OPEN].tolist() == bars[:-1, b.CLOSE].tolist()
    assert np.all(bars[:, b.HIGH] >= bars[:, [b.OPEN, b.CLOSE]].max(axis=1))
    assert np.all(bars[:, b.LOW] <= bars[:, [b.OPEN, b.CLOSE]].min(axis=1))
    assert np.all(bars[:, b.TAKER_BASE] <= bars[:, b.BASE])
    mean_price = bars[:, b.QUOTE] / bars[:, b.BASE] * b.UNIT
    assert np.all((mean_price >= bars[:, b.LOW] * 0.999999) & (mean_price <= bars[:, b.HIGH] * 1.000001))
    assert bars[:, b.BASE].sum() < theirs[:, b.BASE].sum() / 2


def test_synthetic_answers_do_not_depend_on_what_was_asked_before(synthetic: SyntheticWorld) -> None:
    whole = hours(synthetic.book("kraken"), "ETH/USD", "2024-01-01", "2024-03-01")
    piece = hours(SyntheticWorld(7, GENESIS).book("kraken"), "ETH/USD", "2024-02-10T05:00", "2024-02-20T17:00")
    first = (ms("2024-02-10T05:00") - ms("2024-01-01")) // HOUR_MS
    assert piece.tolist() == whole[first : first + len(piece)].tolist()
    other = hours(SyntheticWorld(8, GENESIS).book("kraken"), "ETH/USD", "2024-01-01", "2024-03-01")
    assert other.tolist() != whole.tolist()
    coinbase = hours(synthetic.book("coinbase"), "ETH/USD", "2024-01-01", "2024-03-01")
    assert coinbase[:, b.CLOSE].tolist() != whole[:, b.CLOSE].tolist()


def test_synthetic_minutes_fold_into_their_hour_and_the_last_candle_moves(synthetic: SyntheticWorld) -> None:
    book = synthetic.book("coinbase")
    minutes = hours(book, "SOL/USD", "2024-01-05T03:00", "2024-01-05T04:00", "1m")
    hour = hours(book, "SOL/USD", "2024-01-05T03:00", "2024-01-05T04:00")
    assert b.fold(minutes, HOUR_MS).tolist() == hour.tolist()
    now = ms("2024-01-05T03:20") + 1000
    begun, later = (forming(book, "SOL/USD", "1h", instant)[0] for instant in (now, now + 15 * 60_000))
    assert begun[b.BASE] < later[b.BASE] < hour[0, b.BASE]
    assert begun[b.TRADES] < later[b.TRADES]
    price = last_price(book, "SOL/USD", now)
    assert price == begun[b.CLOSE]
