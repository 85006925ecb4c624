import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.candles.timeframes import EPOCH
from include.venues.coingecko import CoinGecko
from include.venues.errors import (
    AuthenticationError,
    ForbiddenError,
    NoDataError,
    RateLimitedError,
    RequestRejectedError,
    UnavailableError,
    UnknownSymbolError,
    VenueError,
)
from include.venues.http import Response, Retry

Answer = Callable[..., Response]
NOW = datetime(2024, 3, 21, 9, 0, tzinfo=UTC)
BITCOIN = {
    "id": "bitcoin",
    "current_price": 67187.33,
    "market_cap": 1321000000000,
    "market_cap_rank": 1,
    "total_volume": 31260929299.52,
    "circulating_supply": 19650000.0,
    "last_updated": "2024-03-21T08:59:30.123Z",
}
PRICE = {"usd": 67187.33, "usd_market_cap": 1.3e12, "usd_24h_vol": 0, "last_updated_at": 1711011570}


def test_a_market_is_observed_when_the_source_updated_it(scripted: Any, answer: Answer) -> None:
    transport = scripted(answer([BITCOIN], headers={"X-Replay-World": "recorded"}))
    snapshots = CoinGecko(transport).markets(["bitcoin"], NOW)
    assert transport.requests == [
        ("/coins/markets", {"vs_currency": "usd", "ids": "bitcoin", "per_page": 250}, {}),
    ]
    assert list(snapshots) == [
        (
            "bitcoin",
            datetime(2024, 3, 21, 8, 59, 30, 123000, tzinfo=UTC),
            Decimal("67187.33"),
            Decimal(1321000000000),
            Decimal("31260929299.52"),
            Decimal("19650000.0"),
            1,
        )
    ]
    assert snapshots.world == "recorded"


def test_anything_but_the_price_may_be_null(scripted: Any, answer: Answer) -> None:
    row = dict.fromkeys(BITCOIN) | {"id": "bitcoin", "current_price": 1}
    assert list(CoinGecko(scripted(answer([row]))).markets(["bitcoin"], NOW)) == [
        ("bitcoin", NOW, Decimal(1), None, None, None, None)
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"current_price": None},
        {"current_price": 0},
        {"current_price": "67187.33"},
        {"total_volume": -1},
        {"market_cap": 10**18},
        {"market_cap_rank": 0},
        {"last_updated": "2024-03-21T08:59:30"},
        {"last_updated": "yesterday"},
    ],
)
def test_a_bad_row_is_kept_with_its_reason_beside_the_good_one(
    scripted: Any, answer: Answer, change: dict[str, Any]
) -> None:
    bad = BITCOIN | {"id": "ethereum"} | change
    snapshots = CoinGecko(scripted(answer([bad, BITCOIN]))).markets(["ethereum", "bitcoin"], NOW)
    assert [snapshot.coin for snapshot in snapshots] == ["bitcoin"]
    (row,) = snapshots.rejected
    assert row.reason.startswith("snapshot of ethereum cannot be read")
    assert json.loads(row.raw)["id"] == "ethereum"


def test_simple_price(scripted: Any, answer: Answer) -> None:
    transport = scripted(answer({"bitcoin": PRICE}))
    assert list(CoinGecko(transport).simple_price(["bitcoin"], NOW)) == [
        (
            "bitcoin",
            datetime(2024, 3, 21, 8, 59, 30, tzinfo=UTC),
            Decimal("67187.33"),
            Decimal("1.3e12"),
            None,
            None,
            None,
        )
    ]
    assert transport.requests[0][1]["ids"] == "bitcoin"


@pytest.mark.parametrize(
    ("body", "reason"),
    [({}, "ethereum was not answered"), ({"ethereum": {}}, "snapshot of ethereum cannot be read: KeyError('usd')")],
)
def test_a_coin_left_out_of_a_good_answer_is_noticed(
    scripted: Any, answer: Answer, body: dict[str, Any], reason: str
) -> None:
    snapshots = CoinGecko(scripted(answer({"bitcoin": PRICE} | body))).simple_price(["bitcoin", "ethereum"], NOW)
    assert [snapshot.coin for snapshot in snapshots] == ["bitcoin"]
    assert [row.reason for row in snapshots.rejected] == [reason]
    with pytest.raises(NoDataError, match="ethereum"):
        CoinGecko(scripted(answer(body))).simple_price(["ethereum"], NOW)


def test_a_chart_is_sorted_joined_by_stamp_and_without_now(scripted: Any, answer: Answer) -> None:
    hour = 3_600_000
    body = {
        "prices": [[2 * hour + 18, 1.5], [hour + 5, 1.2e-05], [3 * hour, 3], [3 * hour + 900, 4], [3 * hour + 300, 5]],
        "market_caps": [[hour + 5, 0], [2 * hour + 18, 70]],
        "total_volumes": [[2 * hour + 18, 9], [3 * hour, None]],
    }
    samples = CoinGecko(scripted(answer(body))).market_chart("bitcoin", 30)
    assert [(s.observed_at - EPOCH, s.price_usd, s.market_cap_usd, s.volume_24h_usd) for s in samples] == [
        (timedelta(milliseconds=hour + 5), Decimal("0.000012"), None, None),
        (timedelta(milliseconds=2 * hour + 18), Decimal("1.5"), Decimal(70), Decimal(9)),
        (timedelta(milliseconds=3 * hour), Decimal(3), None, None),
    ]


def test_samples_of_one_instant(scripted: Any, answer: Answer) -> None:
    body = {"prices": [[1, 1], [1, 1], [2, 5], [2, 6], [3, None], [9, 9]], "market_caps": [], "total_volumes": []}
    samples = CoinGecko(scripted(answer(body))).market_chart("bitcoin", 30)
    assert [int(sample.price_usd) for sample in samples] == [1]
    assert [row.raw for row in samples.rejected] == ["[3,null]", "[[2,5],[2,6]]"]


def test_a_chart_of_nothing_but_now_is_no_data(scripted: Any, answer: Answer) -> None:
    for prices in ([], [[1, 1]]):
        with pytest.raises(NoDataError):
            CoinGecko(scripted(answer({"prices": prices, "market_caps": [], "total_volumes": []}))).market_chart("x", 1)


def test_history_beyond_the_plan_is_refused_without_a_request(scripted: Any, answer: Answer) -> None:
    body = {"prices": [[1, 1], [2, 1]], "market_caps": [], "total_volumes": []}
    transport = scripted(answer(body))
    with pytest.raises(RequestRejectedError, match="reaches back 365 days"):
        CoinGecko(transport).market_chart("bitcoin", 366)
    assert transport.requests == []
    CoinGecko(transport, "pro", "CG-key").market_chart("bitcoin", 366, "daily")
    assert transport.requests[0][1] == {"vs_currency": "usd", "days": 366, "interval": "daily"}


def test_daily_history_is_of_midnights_as_far_back_as_the_plan_reaches(scripted: Any, answer: Answer) -> None:
    day = 86_400_000
    prices = [[day, 1], [2 * day, 2], [2 * day + 5, 3], [3 * day, 4], [3 * day + 77, 9]]
    transport = scripted(answer({"prices": prices, "market_caps": [], "total_volumes": []}))
    samples = CoinGecko(transport).daily_history("bitcoin")
    assert [(sample.observed_at, int(sample.price_usd)) for sample in samples] == [
        (EPOCH + timedelta(days=n), price) for n, price in ((1, 1), (2, 2), (3, 4))
    ]
    assert [row.reason for row in samples.rejected] == [
        "daily sample is not of midnight: 1970-01-03T00:00:00.005000+00:00"
    ]
    CoinGecko(transport, "pro", "CG-key").daily_history("bitcoin")
    CoinGecko(transport, "demo", "CG-key").daily_history("bitcoin", 4)
    assert [params["days"] for _, params, _ in transport.requests] == [365, "max", 4]
    assert all(params["interval"] == "daily" for _, params, _ in transport.requests)
    with pytest.raises(RequestRejectedError, match="reaches back 365 days"):
        CoinGecko(transport).daily_history("bitcoin", 366)
    odd = {"prices": [[1, 1], [2, 1]], "market_caps": [], "total_volumes": []}
    with pytest.raises(NoDataError, match="no sample of a midnight"):
        CoinGecko(scripted(answer(odd))).daily_history("bitcoin")


@pytest.mark.parametrize(("tier", "header"), [("demo", "x-cg-demo-api-key"), ("pro", "x-cg-pro-api-key")])
def test_the_key_travels_in_the_header_of_its_tier_only(scripted: Any, answer: Answer, tier: str, header: str) -> None:
    transport = scripted(answer([BITCOIN]))
    CoinGecko(transport, tier, "CG-secret").markets(["bitcoin"], NOW)
    _, params, headers = transport.requests[0]
    assert headers == {header: "CG-secret"}
    assert "CG-secret" not in str(params)


@pytest.mark.parametrize(("tier", "key"), [("demo", None), ("keyless", "CG-key"), ("gold", "CG-key")])
def test_a_tier_without_its_key_is_refused(scripted: Any, tier: str, key: str | None) -> None:
    with pytest.raises(ValueError, match="tier"):
        CoinGecko(scripted(), tier, key)


def test_too_few_or_too_many_coins_are_refused(scripted: Any) -> None:
    for ids in ([], ["x"] * 251):
        with pytest.raises(ValueError, match="between 1 and 250 coins"):
            CoinGecko(scripted()).markets(ids, NOW)


def nested(code: int) -> dict[str, Any]:
    return {"error": {"status": {"error_code": code, "error_message": "why"}}}


def flat(code: int) -> dict[str, Any]:
    return {"status": {"error_code": code, "error_message": "why"}}


@pytest.mark.parametrize(
    ("status", "body", "expected", "code"),
    [
        (401, nested(10012), RequestRejectedError, 10012),
        (401, flat(10002), AuthenticationError, None),
        (403, flat(10005), AuthenticationError, None),
        (400, flat(10010), AuthenticationError, None),
        (400, nested(10011), AuthenticationError, None),
        (403, flat(1020), ForbiddenError, None),
        (429, flat(429), RateLimitedError, None),
        (200, flat(429), RateLimitedError, None),
        (404, {"error": "coin not found"}, UnknownSymbolError, None),
        (422, {"error": "Missing parameter vs_currency"}, RequestRejectedError, None),
        (500, {"status": 500, "error": "Internal Server Error"}, UnavailableError, None),
    ],
)
def test_every_shape_of_error_is_understood(
    scripted: Any, answer: Answer, retry: Retry, status: int, body: Any, expected: type[VenueError], code: int | None
) -> None:
    with pytest.raises(VenueError) as caught:
        CoinGecko(scripted(answer(body, status)), retry=retry).market_chart("bitcoin", 30)
    assert type(caught.value) is expected
    assert getattr(caught.value, "code", None) == code


@pytest.mark.parametrize("body", [[], {}, {"prices": 1}, {"prices": [], "market_caps": None, "total_volumes": []}])
def test_an_answer_of_a_foreign_shape_is_an_outage(scripted: Any, answer: Answer, retry: Retry, body: Any) -> None:
    with pytest.raises(UnavailableError):
        CoinGecko(scripted(answer(body)), retry=retry).market_chart("bitcoin", 30)


def recorded(folder: Path, name: str) -> bytes:
    """A recorded body; its recorder wrapped it into `{"data": …}`."""
    body = gzip.decompress((folder / f"coingecko/raw_rest/{name}.json.gz").read_bytes()).strip()
    return body[body.index(b":") + 1 : -1]


def test_a_recorded_list_of_a_hundred_coins_comes_through(market_data_dir: Path, scripted: Any, answer: Answer) -> None:
    body = recorded(market_data_dir, "coins_markets_100")
    ids = [row["id"] for row in json.loads(body)]
    snapshots = CoinGecko(scripted(answer(body))).markets(ids, NOW)
    assert [snapshot.coin for snapshot in snapshots] == ids
    assert snapshots.rejected == []
    assert all(
        datetime(2023, 10, 8, 20, tzinfo=UTC) < s.observed_at < datetime(2023, 10, 8, 21, tzinfo=UTC) for s in snapshots
    )


def test_a_recorded_hourly_chart_comes_through_without_its_last_point(
    market_data_dir: Path, scripted: Any, answer: Answer
) -> None:
    body = recorded(market_data_dir, "market_chart_hourly_bitcoin")
    prices = json.loads(body, parse_float=Decimal)["prices"]
    samples = CoinGecko(scripted(answer(body))).market_chart("bitcoin", 7)
    assert [(sample.observed_at, sample.price_usd) for sample in samples] == [
        (EPOCH + timedelta(milliseconds=stamp), price) for stamp, price in prices[:-1]
    ]
    assert all(sample.market_cap_usd and sample.volume_24h_usd for sample in samples)
    assert samples.rejected == []
