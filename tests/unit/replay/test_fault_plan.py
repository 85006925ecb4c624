"""The plan of faults: what it draws, what it refuses, and what it does to the rows of a book."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from include.replay import bars as b
from include.replay.clock import ReplayClock
from include.replay.fault_plan import FaultPlan, chance
from include.replay.revisions import Revisions
from include.replay.shaping import FaultyBook
from include.replay.synthetic import SyntheticWorld
from include.replay.world import HOUR_MS, klines, last_price, rolling_day

GENESIS = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2024, 6, 1, 12, 0, 30, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
THIS_HOUR = NOW_MS - NOW_MS % HOUR_MS


def planned(hosts: dict[str, Any], seed: int = 7) -> FaultPlan:
    plan = FaultPlan()
    plan.set({"seed": seed, "hosts": hosts})
    return plan


def drawn(plan: FaultPlan, count: int, host: str = "binance", path: str = "/x") -> list[str | None]:
    host_plan = plan.of(host)
    assert host_plan is not None
    return [fault[0] if (fault := host_plan.next_fault(path)) else None for _ in range(count)]


def test_the_sequence_of_a_host_follows_from_the_seed() -> None:
    shares = {"binance": {"rate_limited": 0.1, "banned": 0.05, "cut": 0.05}, "kraken": {"cut": 0.2}}
    faults = drawn(planned(shares), 4000)
    assert faults == drawn(planned(shares), 4000)
    assert faults != drawn(planned(shares, seed=8), 4000)
    kinds = {kind: faults.count(kind) / len(faults) for kind in ("rate_limited", "banned", "cut", None)}
    assert kinds == {
        kind: pytest.approx(share, abs=0.02) for kind, share in zip(kinds, (0.1, 0.05, 0.05, 0.8), strict=True)
    }
    assert drawn(planned(shares), 50, "kraken") != faults[:50]


def test_a_script_names_requests_and_is_counted() -> None:
    plan = planned({"binance": {"banned": {"at": [2, 4], "retry_after": 9}}})
    assert drawn(plan, 5) == [None, "banned", None, "banned", None]
    account = plan.account()
    assert account["hosts"] == {"binance": {"requests": 5, "planned": ["banned"], "done": {"banned": 2}}}
    assert plan.of("kraken") is None
    plan.clear()
    assert plan.of("binance") is None


def test_a_checksum_is_wrong_only_where_there_is_one() -> None:
    plan = planned({"binance_archive": {"wrong_checksum": 1.0}})
    assert drawn(plan, 1, "binance_archive", "/data/a.zip") == [None]
    assert drawn(plan, 1, "binance_archive", "/data/a.zip.CHECKSUM") == ["wrong_checksum"]
    both = planned({"binance_archive": {"wrong_checksum": 0.5, "cut": 0.1}})
    assert drawn(both, 1000, "binance_archive", "/data/a.zip").count("cut") == pytest.approx(100, abs=30)


@pytest.mark.parametrize(
    "wish",
    [
        [],
        {},
        {"hosts": {"nope": {"cut": 0.1}}},
        {"hosts": {"binance": {"nope": 0.1}}},
        {"hosts": {"binance": {"cut": 1.1}}},
        {"hosts": {"binance": {"cut": 0.6, "banned": 0.6}}},
        {"hosts": {"binance": {"cut": {"shares": 1}}}},
        {"hosts": {"binance": {"cut": "often"}}},
        {"hosts": {"binance": {"late": 0.5}}},
        {"hosts": {"binance": {"delisted": {"symbols": ["BTCUSDT"]}}}},
        {"hosts": {"binance": {"hole": {"starts_at": "2024-01-01T00:00:00"}}}},
        {"hosts": {"binance": {"cut": 0.1}}, "seed": "seven"},
        {"hosts": {"binance": {"cut": 0.1}}, "extra": 1},
        {"hosts": {"binance": {"hole": {"answers": -1}}}},
        {"hosts": {"binance": 0.2}},
    ],
)
def test_anything_else_is_refused_and_leaves_the_plan_as_it_was(wish: Any) -> None:
    plan = planned({"binance": {"cut": 0.5}})
    before = plan.of("binance")
    with pytest.raises(ValueError, match=r"."):
        plan.set(wish)
    assert plan.of("binance") is before


def test_chance_is_even() -> None:
    values = np.array([chance(1, "x", n) for n in range(5000)])
    assert np.histogram(values, bins=10, range=(0, 1))[0].min() > 400


World = SyntheticWorld
Shaped = Callable[..., FaultyBook]


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld(7, GENESIS)


@pytest.fixture
def shaped(world: SyntheticWorld) -> Shaped:
    def make(now: datetime = NOW, **kinds: Any) -> FaultyBook:
        plan = planned({"binance": kinds}) if kinds else FaultPlan()
        return FaultyBook(world, "binance", plan, Revisions(), ReplayClock(now, speed=0))

    return make


def page(book: FaultyBook, start: int = THIS_HOUR - 500 * HOUR_MS, limit: int = 1000, newest: bool = False) -> b.Bars:
    return book.closed("BTCUSDT", "1h", start, THIS_HOUR, limit, newest)


def test_without_a_plan_the_book_is_as_it_is(world: SyntheticWorld, shaped: Shaped) -> None:
    assert (
        page(shaped()).tolist()
        == world.closed("BTCUSDT", "1h", THIS_HOUR - 500 * HOUR_MS, THIS_HOUR, 1000, False).tolist()
    )
    assert shaped().markets == world.markets


def test_a_late_candle_comes_some_seconds_after_its_close(shaped: Shaped) -> None:
    whole = page(shaped())
    wish = {"seconds": 45}
    assert page(shaped(late=wish)).tolist() == whole[:-1].tolist()
    assert page(shaped(NOW + timedelta(seconds=14), late=wish)).tolist() == whole[:-1].tolist()
    assert page(shaped(NOW + timedelta(seconds=15), late=wish)).tolist() == whole.tolist()


def test_a_hole_heals_after_some_answers_and_pages_stay_full(shaped: Shaped) -> None:
    whole = page(shaped(), limit=300)
    book = shaped(hole={"share": 0.2, "answers": 2})
    first, second, healed = (page(book, limit=300) for _ in range(3))
    assert len(first) == len(second) == 300
    missing = set(whole[:, b.OPEN_TIME]) - set(first[:, b.OPEN_TIME])
    assert 30 < len(missing) < 90
    assert second.tolist() == first.tolist()
    assert healed[:, b.OPEN_TIME].tolist()[: len(whole)] != first[:, b.OPEN_TIME].tolist()
    assert missing <= set(healed[:, b.OPEN_TIME])
    newest = page(shaped(hole={"share": 0.2, "answers": 2}), limit=300, newest=True)
    assert len(newest) == 300
    assert newest[-1, b.OPEN_TIME] >= THIS_HOUR - 5 * HOUR_MS


def test_what_lies_beyond_a_page_does_not_heal_by_it(shaped: Shaped) -> None:
    wish = {"share": 0.3, "answers": 1}
    later = THIS_HOUR - 300 * HOUR_MS
    fresh = page(shaped(hole=wish), later)
    book = shaped(hole=wish)
    first = page(book, limit=100)
    assert first[-1, b.OPEN_TIME] < later
    assert page(book, later).tolist() == fresh.tolist()


def test_a_hole_may_be_a_window_and_end_with_a_number_of_requests(shaped: Shaped) -> None:
    window = {"starts_at": "2024-05-30T00:00:00Z", "ends_at": "2024-05-30T05:00:00Z", "symbols": ["BTCUSDT"]}
    book = shaped(hole=window)
    assert len(page(shaped())) - len(page(book)) == 5
    other = book.closed("ETHUSDT", "1h", THIS_HOUR - 500 * HOUR_MS, THIS_HOUR, 1000, False)
    assert len(other) == 500
    plan = planned({"binance": {"hole": {**window, "until_request": 3}}})
    counted = FaultyBook(book.whole, "binance", plan, Revisions(), ReplayClock(NOW, speed=0))
    lengths = []
    for _ in range(4):
        drawn(plan, 1)
        lengths.append(len(page(counted)))
    assert lengths == [495, 495, 500, 500]


def test_a_markets_first_candle_is_never_missing(shaped: Shaped) -> None:
    book = shaped(hole=1.0)
    first = book.closed("BTCUSDT", "1h", 0, THIS_HOUR, 1, False)
    assert first[:, b.OPEN_TIME].tolist() == [int(GENESIS.timestamp() * 1000)]
    assert len(page(book)) == 0


def test_duplicates_are_equal_and_contradictions_are_not(shaped: Shaped) -> None:
    whole = page(shaped(), limit=1000)
    doubled = page(shaped(duplicate=0.1))
    assert len(doubled) > len(whole)
    assert np.unique(doubled, axis=0).tolist() == whole.tolist()
    assert np.all(np.diff(doubled[:, b.OPEN_TIME]) >= 0)
    book = shaped(contradicting={"share": 0.1, "answers": 1})
    torn = page(book)
    opens, times = np.unique(torn[:, b.OPEN_TIME], return_counts=True)
    twice = torn[np.isin(torn[:, b.OPEN_TIME], opens[times == 2])]
    assert len(twice) > 40
    assert np.all(twice[1::2, b.BASE] > twice[::2, b.BASE])
    assert twice[1::2, b.CLOSE].tolist() == twice[::2, b.CLOSE].tolist()
    assert page(book).tolist() == whole.tolist()


@pytest.mark.parametrize("newest", [True, False])
@pytest.mark.parametrize("limit", range(1, 40, 3))
def test_a_false_row_never_stands_alone_at_the_edge_of_a_page(
    shaped: Shaped, world: SyntheticWorld, limit: int, newest: bool
) -> None:
    torn = page(shaped(contradicting=0.5), limit=limit, newest=newest)
    assert 0 < len(torn) <= limit
    true = {tuple(row) for row in page(shaped()).tolist()}
    for row in torn.tolist():
        assert tuple(row) in true or any(r[0] == row[0] and tuple(r) in true for r in torn.tolist())


def test_rows_out_of_order_are_all_there(shaped: Shaped) -> None:
    whole, mixed = page(shaped()), page(shaped(out_of_order=0.1))
    assert mixed.tolist() != whole.tolist()
    assert sorted(mixed.tolist()) == whole.tolist()
    assert 30 < np.count_nonzero(np.diff(mixed[:, b.OPEN_TIME]) < 0) < 70


def test_a_revised_candle_grows_to_its_final_volume(shaped: Shaped) -> None:
    whole = page(shaped())
    early = page(shaped(revised={"seconds": 7200}))
    assert early[:-2].tolist() == whole[:-2].tolist()
    assert np.all(early[-2:, b.BASE] < whole[-2:, b.BASE])
    assert early[:, b.OPEN : b.CLOSE + 1].tolist() == whole[:, b.OPEN : b.CLOSE + 1].tolist()


def test_a_truncated_month_ends_after_ten_days(shaped: Shaped) -> None:
    def days(book: FaultyBook, month: int) -> int:
        start, end = (int(datetime(2024, each, 1, tzinfo=UTC).timestamp() * 1000) for each in (month, month + 1))
        return len(book.closed("BTCUSDT", "1d", start, end, 31, False))

    book = shaped(truncated={"answers": 21})
    assert [days(book, month) for month in (3, 3, 4)] == [10, 10, 10]
    assert days(shaped(truncated={"share": 0.0}), 3) == 31


def test_a_delisted_symbol_is_unknown_from_its_day_on(shaped: Shaped) -> None:
    wish = {"symbols": ["BNBUSDT"], "starts_at": NOW.isoformat()}
    assert "BNBUSDT" in shaped(NOW - timedelta(seconds=1), delisted=wish).markets
    assert set(shaped(NOW, delisted=wish).markets) == {"BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"}


def test_prices_and_candles_in_progress_know_no_faults(world: SyntheticWorld, shaped: Shaped) -> None:
    book = shaped(hole=1.0, contradicting=1.0)
    assert last_price(book, "BTCUSDT", NOW_MS) == last_price(world, "BTCUSDT", NOW_MS)
    assert rolling_day(book, "BTCUSDT", NOW_MS).tolist() == rolling_day(world, "BTCUSDT", NOW_MS).tolist()
    live = klines(book, "BTCUSDT", "1h", None, None, 3, NOW_MS)[-1:]
    assert live.tolist() == klines(world, "BTCUSDT", "1h", None, None, 1, NOW_MS).tolist()


def test_corrections_on_demand_are_in_the_rows_too(world: SyntheticWorld) -> None:
    revisions = Revisions()
    revisions.add("BTCUSDT", "1h", THIS_HOUR - HOUR_MS)
    clock = ReplayClock(NOW, speed=0)
    plain = world.closed("BTCUSDT", "1h", THIS_HOUR - HOUR_MS, THIS_HOUR, 1, False)
    for plan in (FaultPlan(), planned({"binance": {"cut": 0.1}})):
        revised = FaultyBook(world, "binance", plan, revisions, clock).closed(
            "BTCUSDT", "1h", THIS_HOUR - HOUR_MS, THIS_HOUR, 1, False
        )
        assert revised[0, b.BASE] == plain[0, b.BASE] // 100 * 102 + plain[0, b.BASE] % 100
