from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from include.venues.answers import read_json, retry_after_seconds
from include.venues.errors import (
    AuthenticationError,
    BannedError,
    ForbiddenError,
    GeoBlockedError,
    RateLimitedError,
    RequestRejectedError,
    UnavailableError,
    VenueError,
)
from include.venues.http import Response

Answer = Callable[..., Response]
PAGE = b"<!DOCTYPE HTML><TITLE>ERROR: The request could not be satisfied</TITLE>"


def refusal(response: Response, body: Any) -> VenueError:
    return RequestRejectedError("venue", str(body))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, b"Too many requests", RateLimitedError),
        (429, PAGE, RateLimitedError),
        (418, b"{}", BannedError),
        (451, b'{"code":0}', GeoBlockedError),
        (403, PAGE, ForbiddenError),
        (404, PAGE, ForbiddenError),
        (401, PAGE, AuthenticationError),
        (400, b'{"code":-1100}', RequestRejectedError),
        (500, b"{}", UnavailableError),
        (520, PAGE, UnavailableError),
        (302, b"", UnavailableError),
        (200, PAGE, UnavailableError),
        (200, b'[[1,"2', UnavailableError),
        (200, b"", UnavailableError),
        (200, b"[NaN]", UnavailableError),
        (200, b"\xff\xfe\xff", UnavailableError),
    ],
)
def test_every_answer_that_is_not_data_has_its_error(
    answer: Answer, status: int, body: bytes, expected: type[VenueError]
) -> None:
    with pytest.raises(VenueError) as caught:
        read_json("venue", answer(body, status), refusal)
    assert type(caught.value) is expected


def test_fractions_keep_their_digits(answer: Answer) -> None:
    assert read_json("venue", answer(b"[0.10, 1.2e-05, 7]"), refusal) == [Decimal("0.10"), Decimal("0.000012"), 7]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        (
            {"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            30,
        ),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"Retry-After": "soon", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_venue_asks_for(answer: Answer, headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(answer({}, 429, headers)) == seconds


def test_the_wait_reaches_the_caller(answer: Answer) -> None:
    with pytest.raises(BannedError) as caught:
        read_json("venue", answer({}, 418, {"Retry-After": "180"}), refusal)
    assert caught.value.retry_after_seconds == 180


@pytest.mark.parametrize("body", [b"[1e99999999999999999999]", b"[" * 200_000, b"1" * 5000, b"\xff\xfe[", b""])
def test_a_body_that_no_reader_survives_counts_as_an_outage(answer: Answer, body: bytes) -> None:
    with pytest.raises(UnavailableError, match="not JSON"):
        read_json("venue", answer(body), refusal)
