import gzip
import itertools
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from include.replay import bars as b
from include.replay.errors import NotServedError, ReplayError
from include.replay.recorded import RecordedWorld
from include.replay.world import HOUR_MS, forming, klines, last_price, rolling_day


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture(scope="module")
def world(market_data_dir: Path) -> RecordedWorld:
    return RecordedWorld(market_data_dir)


def test_a_folder_without_candles_is_no_world(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"klines_1h/\*\.parquet is missing"):
        RecordedWorld(tmp_path)


def test_it_ends_with_the_last_recorded_hour(world: RecordedWorld) -> None:
    assert world.ends_at == datetime(2025, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("page", ["BTCUSDT_1h_2018-02-01", "BTCUSDT_1h_2024-08-01", "BNBUSDT_1h_2023-03-01"])
def test_pages_equal_what_the_real_venue_answered(world: RecordedWorld, market_data_dir: Path, page: str) -> None:
    with gzip.open(market_data_dir / "binance" / "raw_rest_pages" / f"{page}.json.gz") as file:
        real = json.load(file)
    served = b.kline_rows(world.closed(page.split("_")[0], "1h", real[0][0], real[-1][0] + 1, 1000, False))
    assert len(served) == len(real)
    for mine, theirs in zip(served, real, strict=True):
        for column, (ours, recorded) in enumerate(zip(mine, theirs, strict=True)):
            # The recording is in floats: a quote volume from 6.7e7 on may have lost its last decimal.
            if column in (b.QUOTE, b.TAKER_QUOTE) and Decimal(recorded) > 2**26:
                assert abs(Decimal(str(ours)) / Decimal(recorded) - 1) < Decimal("1e-15")
            else:
                assert ours == recorded


def test_an_outage_of_the_venue_is_a_hole(world: RecordedWorld) -> None:
    page = klines(world, "BTCUSDT", "1h", ms("2020-06-28T00:00"), ms("2020-06-28T06:00"), 500, ms("2025-01-01"))
    assert [datetime.fromtimestamp(t / 1000, UTC).hour for t in page[:, b.OPEN_TIME]] == [0, 1, 5, 6]


def test_both_ends_of_a_window_are_inclusive(world: RecordedWorld) -> None:
    at = ms("2024-05-05T05:00")
    assert klines(world, "ETHUSDT", "1h", at, at, 500, ms("2025-01-01"))[:, b.OPEN_TIME].tolist() == [at]
    assert not len(klines(world, "ETHUSDT", "1h", at + 1, at + HOUR_MS - 1, 500, ms("2025-01-01")))


def test_the_three_ways_to_select_a_page(world: RecordedWorld) -> None:
    now = ms("2024-03-10T10:30")
    start, last = ms("2024-03-01"), ms("2024-03-09T23:59")
    oldest = klines(world, "BTCUSDT", "1h", start, last, 3, now)
    assert oldest[:, b.OPEN_TIME].tolist() == [start, start + HOUR_MS, start + 2 * HOUR_MS]
    assert klines(world, "BTCUSDT", "1h", None, last, 3, now)[-1, b.OPEN_TIME] == ms("2024-03-09T23:00")
    newest = klines(world, "BTCUSDT", "1h", None, None, 3, now)
    assert newest[:, b.OPEN_TIME].tolist() == [ms(f"2024-03-10T{hour:02}:00") for hour in (8, 9, 10)]
    assert newest[-1, b.CLOSE_TIME] > now


def test_nothing_after_now_is_shown(world: RecordedWorld) -> None:
    now = ms("2024-03-10T10:30")
    assert klines(world, "BTCUSDT", "1h", ms("2024-03-10T10:00"), None, 500, now)[:, b.OPEN_TIME].tolist() == [
        ms("2024-03-10T10:00")
    ]
    assert not len(klines(world, "BTCUSDT", "1h", now + 1, None, 500, now))
    assert not len(klines(world, "BTCUSDT", "1h", None, ms("2016-01-01"), 500, now))


@pytest.mark.parametrize(("symbol", "timeframe"), [("BTCUSDT", "1h"), ("ETHUSDT", "1h"), ("BNBUSDT", "1d")])
def test_the_candle_in_progress_grows_into_the_real_one(world: RecordedWorld, symbol: str, timeframe: str) -> None:
    opened, step = ms("2025-01-20T00:00"), b.STEP_MS[timeframe]
    final = world.closed(symbol, timeframe, opened, opened + 1, 1, False)[0]
    states = [forming(world, symbol, timeframe, opened + step * i // 40)[0] for i in range(40)]
    states.append(forming(world, symbol, timeframe, opened + step - 1)[0])
    for before, after in itertools.pairwise(states):
        assert after[b.OPEN] == final[b.OPEN]
        assert final[b.LOW] <= after[b.LOW] <= before[b.LOW] <= before[b.HIGH] <= after[b.HIGH] <= final[b.HIGH]
        assert before[b.BASE] <= after[b.BASE] <= final[b.BASE]
        assert after[b.TRADES] <= final[b.TRADES]
    assert states[-1][b.HIGH] == final[b.HIGH]
    assert states[-1][b.LOW] == final[b.LOW]
    assert abs(states[-1][b.CLOSE] - final[b.CLOSE]) <= final[b.CLOSE] // 1000
    assert states[-1][b.BASE] > final[b.BASE] * 0.999


def test_longer_timeframes_are_folded_and_unrecorded_ones_are_refused(world: RecordedWorld) -> None:
    four = world.closed("ETHUSDT", "4h", ms("2024-01-01"), ms("2024-01-02"), 10, False)
    hours = world.closed("ETHUSDT", "1h", ms("2024-01-01"), ms("2024-01-02"), 24, False)
    assert len(four) == 6
    assert four[:, b.BASE].sum() == hours[:, b.BASE].sum()
    with pytest.raises(NotServedError, match="no 15m candles of ETHUSDT"):
        world.closed("ETHUSDT", "15m", 0, 1, 1, False)


def test_24_hours_figures_are_those_of_the_last_24_candles(world: RecordedWorld) -> None:
    now = ms("2024-06-05T00:00")
    day = rolling_day(world, "BTCUSDT", now)[0]
    real = world.closed("BTCUSDT", "1d", now - 24 * HOUR_MS, now, 1, False)[0]
    # Of the hour that opens just now only the open is known.
    assert day[b.OPEN] == real[b.OPEN]
    assert day[[b.BASE, b.TRADES]].tolist() == real[[b.BASE, b.TRADES]].tolist()
    assert day[b.CLOSE] == last_price(world, "BTCUSDT", now)


def test_24_hours_figures_at_any_minute_hold_together(world: RecordedWorld) -> None:
    now = ms("2024-06-05T10:37")
    day = rolling_day(world, "BTCUSDT", now)[0]
    inner = world.closed("BTCUSDT", "1h", now - 24 * HOUR_MS, now - HOUR_MS, 24, False)
    assert len(inner) == 23
    outer = world.closed("BTCUSDT", "1h", ms("2024-06-04T10:00"), now, 25, False)
    assert inner[:, b.BASE].sum() < day[b.BASE] < outer[:, b.BASE].sum()
    assert day[b.LOW] <= inner[:, b.LOW].min()
    assert outer[:, b.HIGH].max() >= day[b.HIGH] >= inner[:, b.HIGH].max()


def test_during_an_outage_the_last_trade_is_the_price(world: RecordedWorld) -> None:
    before = world.closed("BTCUSDT", "1h", ms("2020-06-28T01:00"), ms("2020-06-28T02:00"), 1, False)[0]
    assert last_price(world, "BTCUSDT", ms("2020-06-28T03:30")) == before[b.CLOSE]
    assert last_price(world, "BTCUSDT", ms("2016-01-01")) is None


def test_sentiment_has_the_days_that_were_published(world: RecordedWorld) -> None:
    days = {day.opened_ms: day for day in world.sentiment(ms("2024-10-27"))}
    assert days[ms("2018-02-01")].value == 30
    assert days[ms("2018-02-01")].classification == "Fear"
    assert ms("2024-10-26") not in days
    assert max(days) == ms("2024-10-27")


def test_coin_days_are_coingeckos_own(world: RecordedWorld) -> None:
    days = world.coin_days("btc")
    assert days[0].at_ms == ms("2013-04-28")
    assert days[-1].price == pytest.approx(104781.51, abs=0.01)
    assert days[-1].at_ms - days[-2].at_ms == timedelta(days=1) / timedelta(milliseconds=1)
    assert world.coin_days("nope") == []


def test_24_hours_figures_within_an_hour_equal_the_quarters_inside(world: RecordedWorld) -> None:
    now = ms("2024-06-05T10:45")
    day = rolling_day(world, "BTCUSDT", now)[0]
    quarters = world.closed("BTCUSDT", "15m", now - 24 * HOUR_MS, now, 96, False)
    assert day[[b.BASE, b.TRADES]].tolist() == quarters[:, [b.BASE, b.TRADES]].sum(axis=0).tolist()
    assert day[b.OPEN] == quarters[0, b.OPEN]
