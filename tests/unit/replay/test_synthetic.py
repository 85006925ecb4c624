import itertools
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from include.replay import bars as b
from include.replay.errors import ReplayError
from include.replay.synthetic import PROFILES, SyntheticWorld, classification
from include.replay.synthetic_hours import WEEK_HOURS
from include.replay.synthetic_minutes import split
from include.replay.world import HOUR_MS, forming, klines

GENESIS = datetime(2022, 11, 1, tzinfo=UTC)
START = int(GENESIS.timestamp() * 1000)
NOW = START + 200 * 24 * HOUR_MS + 1_234_567


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld(7, GENESIS)


def test_it_does_not_matter_what_is_asked_first(world: SyntheticWorld) -> None:
    backwards = SyntheticWorld(7, GENESIS)
    late = klines(backwards, "ETHUSDT", "15m", None, None, 50, NOW)
    early = klines(backwards, "ETHUSDT", "1h", 0, None, 500, NOW)
    assert np.array_equal(early, klines(world, "ETHUSDT", "1h", 0, None, 500, NOW))
    assert np.array_equal(late, klines(world, "ETHUSDT", "15m", None, None, 50, NOW))


def test_what_was_shown_does_not_change_as_time_goes_on(world: SyntheticWorld) -> None:
    fresh = SyntheticWorld(7, GENESIS)
    before = klines(fresh, "BTCUSDT", "1h", 0, None, 1000, START + 30 * 24 * HOUR_MS)
    klines(fresh, "BTCUSDT", "1h", None, None, 1, NOW + 400 * 24 * HOUR_MS)
    after = klines(fresh, "BTCUSDT", "1h", 0, None, len(before), NOW)
    assert np.array_equal(before[:-1], after[:-1])


def test_another_seed_is_another_history(world: SyntheticWorld) -> None:
    other = SyntheticWorld(8, GENESIS)
    page = klines(world, "BTCUSDT", "1h", 0, None, 100, NOW)
    assert not np.array_equal(page, klines(other, "BTCUSDT", "1h", 0, None, 100, NOW))
    assert other.identity != world.identity


def test_a_genesis_within_a_week_keeps_the_returns(world: SyntheticWorld) -> None:
    later = SyntheticWorld(7, GENESIS + timedelta(days=3))
    begin = START + 3 * 24 * HOUR_MS
    mine = later.closed("BTCUSDT", "1h", 0, begin + 20 * HOUR_MS, 100, False)
    whole = world.closed("BTCUSDT", "1h", begin, begin + 20 * HOUR_MS, 100, False)
    assert mine[0, b.OPEN_TIME] == begin
    assert mine[0, b.OPEN] == round(PROFILES["BTCUSDT"].first_price * b.UNIT)
    assert np.diff(np.log(mine[:, b.CLOSE])) == pytest.approx(np.diff(np.log(whole[:, b.CLOSE])), abs=1e-5)
    with pytest.raises(ReplayError, match="UTC midnight"):
        SyntheticWorld(7, GENESIS + timedelta(hours=1))


@pytest.mark.parametrize("symbol", PROFILES)
def test_minutes_fold_into_the_hour_and_hours_into_the_day(world: SyntheticWorld, symbol: str) -> None:
    day = world.closed(symbol, "1d", START, START + 1, 1, False)
    hours = world.closed(symbol, "1h", START, START + 24 * HOUR_MS, 24, False)
    minutes = world.closed(symbol, "1m", START, START + 24 * HOUR_MS, 1440, False)
    assert len(minutes) == 1440
    assert np.array_equal(b.fold(minutes, HOUR_MS), hours)
    assert np.array_equal(b.fold(hours, 24 * HOUR_MS), day)
    assert np.array_equal(hours[1:, b.OPEN], hours[:-1, b.CLOSE])
    assert np.array_equal(minutes[1:, b.OPEN], minutes[:-1, b.CLOSE])


@pytest.mark.parametrize("symbol", PROFILES)
@pytest.mark.parametrize("timeframe", ["1h", "1m"])
def test_every_candle_is_sane_and_on_the_markets_steps(world: SyntheticWorld, symbol: str, timeframe: str) -> None:
    page = klines(world, symbol, timeframe, 0, None, 1000, NOW)
    tick, lot = world.markets[symbol].precision
    body = page[:, [b.OPEN, b.CLOSE]]
    assert (page[:, b.LOW] <= body.min(axis=1)).all()
    assert (page[:, b.HIGH] >= body.max(axis=1)).all()
    assert (page[:, b.LOW] > 0).all()
    assert not (page[:, b.OPEN : b.CLOSE + 1] % tick).any()
    assert not (page[:, [b.BASE, b.TAKER_BASE]] % lot).any()
    assert (page[:, b.TAKER_BASE] <= page[:, b.BASE]).all()
    assert (page[:, b.TAKER_QUOTE] <= page[:, b.QUOTE]).all()
    assert (page[:, b.TRADES] > 0).all()
    assert (np.diff(page[:, b.OPEN_TIME]) == b.STEP_MS[timeframe]).all()


@pytest.mark.parametrize("timeframe", ["1m", "1h", "1d"])
def test_the_candle_in_progress_grows_into_the_closed_one(world: SyntheticWorld, timeframe: str) -> None:
    step = b.STEP_MS[timeframe]
    opened = START + 77 * 24 * HOUR_MS
    final = world.closed("BNBUSDT", timeframe, opened, opened + 1, 1, False)[0]
    states = [forming(world, "BNBUSDT", timeframe, opened + step * i // 30)[0] for i in range(30)]
    states.append(final)
    assert states[0][b.BASE] == 0
    for before, after in itertools.pairwise(states):
        assert after[b.LOW] <= before[b.LOW] <= before[b.HIGH] <= after[b.HIGH]
        assert before[b.BASE] <= after[b.BASE]
    assert len({int(state[b.BASE]) for state in states}) == len(states)


def test_returns_are_a_martingale_with_a_plausible_size(world: SyntheticWorld) -> None:
    closes = world.closed("BTCUSDT", "1h", 0, START + 1000 * 24 * HOUR_MS, 10**6, False)[:, b.CLOSE].astype(float)
    returns = np.diff(np.log(closes))
    assert 0.003 < returns.std() < 0.008
    # The generator works week by week; its seams must not show.
    seams = returns[(START // HOUR_MS + np.arange(1, len(closes))) % WEEK_HOURS == 0]
    assert len(seams) > 100
    assert seams.std() < 1.6 * returns.std()
    assert abs(np.corrcoef(returns[1:], returns[:-1])[0, 1]) < 4 / np.sqrt(len(returns))


def test_coins_move_together(world: SyntheticWorld) -> None:
    end = START + 300 * 24 * HOUR_MS
    btc, eth = (
        np.diff(np.log(world.closed(symbol, "1h", 0, end, 10**6, False)[:, b.CLOSE].astype(float)))
        for symbol in ("BTCUSDT", "ETHUSDT")
    )
    assert 0.4 < np.corrcoef(btc, eth)[0, 1] < 0.8


def test_sentiment_follows_only_what_was_known_at_midnight(world: SyntheticWorld) -> None:
    fresh = SyntheticWorld(7, GENESIS)
    day_40 = fresh.sentiment(START + 40 * 24 * HOUR_MS)
    assert len(day_40) == 41
    assert world.sentiment(NOW)[:41] == day_40
    assert {classification(day.value) for day in world.sentiment(NOW)} == {
        day.classification for day in world.sentiment(NOW)
    }
    assert world.sentiment(START - 1) == []


@pytest.mark.parametrize(
    ("value", "label"),
    [(25, "Extreme Fear"), (26, "Fear"), (47, "Neutral"), (54, "Neutral"), (55, "Greed"), (76, "Extreme Greed")],
)
def test_classification_bands(value: int, label: str) -> None:
    assert classification(value) == label


def test_shares_add_up_exactly() -> None:
    assert split(10, [1, 1, 1]) == [3, 3, 4]
    assert sum(split(10**18 + 7, [3, 5, 11])) == 10**18 + 7


def test_four_years_of_three_markets_take_less_than_a_second() -> None:
    begun = time.perf_counter()
    fresh = SyntheticWorld(3, GENESIS)
    for symbol in ("BTCUSDT", "ETHUSDT", "BNBUSDT"):
        assert len(fresh.closed(symbol, "1h", 0, START + 1460 * 24 * HOUR_MS, 10**6, False)) == 35040
    assert time.perf_counter() - begun < 1
