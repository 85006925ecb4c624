"""What each answer means for everybody who asks the same host."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from include.politeness import verdict as v
from include.politeness.verdict import SUCCEED, judge
from include.venues import errors
from include.venues.response import Response

DATE = "Sat, 01 Jun 2024 12:40:20 GMT"


def answer(status: int = 200, body: bytes = b"[]", headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, CaseInsensitiveDict({"Date": DATE, **(headers or {})}), body, "https://venue.test/x")


def test_a_good_answer_is_a_success_and_no_answer_without_an_error_is_nothing() -> None:
    assert judge("binance", answer(), None, 4800) == [SUCCEED]
    assert judge("binance", None, None, 4800) == []


@pytest.mark.parametrize(
    "error",
    [
        errors.RequestRejectedError("binance", "Illegal characters", -1100),
        errors.UnknownSymbolError("binance", "Invalid symbol", -1121),
        errors.OutOfReachError("coingecko", "last 365 days only", 10012),
        errors.NoDataError("kraken", "empty"),
        errors.VenueError("binance", "answer from an unknown world"),
        errors.NotPublishedError("binance_archive", "404", False),
        errors.ChecksumMismatchError("binance_archive", "replaced"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_host_that_refuses_one_request_is_well(error: errors.VenueError) -> None:
    assert judge("binance", answer(400), error, 4800) == [SUCCEED]


@pytest.mark.parametrize(
    ("error", "action", "reason", "patience"),
    [
        (errors.BannedError("binance", "banned"), "fail", "banned", v.BANNED),
        (errors.GeoBlockedError("binance", "not here"), "fail", "geo_blocked", v.GEO_BLOCKED),
        (errors.ForbiddenError("binance", "firewall"), "fail", "forbidden", v.FORBIDDEN),
        (errors.AuthenticationError("coingecko", "key"), "fail", "authentication", v.AUTHENTICATION),
        (errors.UnavailableError("kraken", "down"), "fail", "unavailable", v.UNAVAILABLE),
        (errors.RateLimitedError("binance", "slow"), "block", "rate_limited", v.RATE_LIMITED_ELSEWHERE),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
@pytest.mark.parametrize("response", [answer(500), None], ids=["answer", "no answer"])
def test_what_concerns_everybody_is_put_on_record(
    error: errors.VenueError, action: str, reason: str, patience: v.Patience, response: Response | None
) -> None:
    (found,) = judge("elsewhere", response, error, None)
    assert (found.action, found.reason, found.patience, found.told) == (action, reason, patience, None)
    assert found.error == str(error)


def test_how_long_and_how_often_it_takes() -> None:
    assert (v.GEO_BLOCKED.first, v.FORBIDDEN.first, v.BANNED.longest) == (3600, 300, 259_200)
    assert (v.UNAVAILABLE.threshold, v.UNAVAILABLE.first, v.UNAVAILABLE.longest) == (5, 30, 900)
    others = (v.GEO_BLOCKED, v.FORBIDDEN, v.BANNED, v.AUTHENTICATION)
    assert {each.threshold for each in others} == {1}


@pytest.mark.parametrize(
    ("source", "first", "least"), [("coingecko", 60, 60), ("coinbase", 1, 0), ("kraken", 5, 0), ("binance", 60, 0)]
)
def test_each_source_has_its_own_patience_after_429(source: str, first: float, least: float) -> None:
    (found,) = judge(source, answer(429), errors.RateLimitedError(source, "slow"), None)
    assert (found.patience.first, found.patience.least) == (first, least)


@pytest.mark.parametrize("kind", [errors.RateLimitedError, errors.BannedError])
def test_retry_after_is_obeyed_with_a_second_for_its_rounding(kind: type[errors.RateLimitedError]) -> None:
    (found,) = judge("binance", answer(429), kind("binance", "slow", 17), None)
    assert found.told == 18


def test_a_ban_whose_header_is_lost_says_its_end_in_the_message() -> None:
    body = b'{"code":-1003,"msg":"Way too much request weight used; IP banned until 1717245740000. Please use"}'
    error = errors.BannedError("binance", "banned")
    assert judge("binance", answer(418, body), error, None)[0].told == 121
    dateless = Response(418, CaseInsensitiveDict(), body, "u")
    assert judge("binance", dateless, error, None)[0].told is None
    past = answer(418, body.replace(b"1717245740000", b"1717240000000"))
    assert judge("binance", past, error, None)[0].told == 1
    absurd = answer(418, body.replace(b"1717245740000", b"9917245740000"))
    assert judge("binance", absurd, error, None)[0].told == v.BANNED.longest


@pytest.mark.parametrize(
    ("used", "expected"),
    [("4801", 40.0), ("4800", None), ("1", None), ("", None), ("many", None), ("\u0663\u0663\u0663\u0663\u0663", None)],
)
@pytest.mark.parametrize("header", ["X-MBX-USED-WEIGHT-1M", "x-mbx-used-weight-1m"])
def test_a_host_whose_count_is_nearly_full_is_left_alone_until_its_next_minute(
    header: str, used: str, expected: float | None
) -> None:
    first, *heavy = judge("binance", answer(headers={header: used}), None, 4800)
    assert first is SUCCEED
    assert [each.told for each in heavy] == ([expected] if expected else [])
    assert all((each.action, each.reason) == ("block", "used_weight") for each in heavy)


def test_other_hosts_and_answers_without_a_date() -> None:
    used = {"X-MBX-USED-WEIGHT-1M": "5000"}
    assert judge("kraken", answer(headers=used), None, 4800) == [SUCCEED]
    assert judge("binance", answer(headers=used), None, None) == [SUCCEED]
    dateless = Response(200, CaseInsensitiveDict(used), b"[]", "u")
    assert judge("binance", dateless, None, 4800)[1].told == 60


@given(st.binary(), st.dictionaries(st.sampled_from(["Date", "X-MBX-USED-WEIGHT-1M"]), st.text()))
def test_no_answer_breaks_the_judge(body: bytes, headers: dict[str, str]) -> None:
    response = Response(418, CaseInsensitiveDict(headers), body, "u")
    found = judge("binance", response, errors.BannedError("binance", "x"), 4800)
    assert found[0].reason == "banned"
    assert all(each.told is None or each.told >= 0 for each in found)


def test_what_an_error_quotes_of_an_answer_can_be_kept_whatever_it_holds() -> None:
    error = errors.UnavailableError("binance", 'answer is not JSON: {"a":\x00\ud800')
    (found,) = judge("binance", answer(), error, None)
    assert found.error == 'binance: answer is not JSON: {"a":\\u0000\\ud800'
