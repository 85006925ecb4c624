"""What each kind of refusal means for Airflow's retries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk import RetryAction

from crypto_market.retry import FORBIDDEN_PAUSE, VenueRetryPolicy
from include.venues import errors
from include.warehouse.world import WorldMismatchError


@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        (errors.RateLimitedError("binance", "slow down", 17), RetryAction.RETRY, timedelta(seconds=17)),
        (errors.RateLimitedError("binance", "slow down"), RetryAction.RETRY, timedelta(seconds=60)),
        (errors.BannedError("binance", "banned", 7200), RetryAction.RETRY, timedelta(hours=2)),
        (errors.CircuitOpenError("binance", "open after 451", 90), RetryAction.RETRY, timedelta(seconds=90)),
        (errors.OutOfReachError("kraken", "older than 720 candles"), RetryAction.FAIL, None),
        (errors.ForbiddenError("binance", "firewall"), RetryAction.RETRY, FORBIDDEN_PAUSE),
        (errors.GeoBlockedError("binance", "not here"), RetryAction.FAIL, None),
        (errors.AuthenticationError("coingecko", "key"), RetryAction.FAIL, None),
        (errors.RequestRejectedError("binance", "bad", -1100), RetryAction.FAIL, None),
        (errors.UnknownSymbolError("binance", "gone", -1121), RetryAction.FAIL, None),
        (errors.UnavailableError("binance", "down"), RetryAction.DEFAULT, None),
        (errors.NoDataError("binance", "nothing"), RetryAction.DEFAULT, None),
        (WorldMismatchError("another world"), RetryAction.DEFAULT, None),
        (OSError("network"), RetryAction.DEFAULT, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_class_of_error(error: Exception, action: RetryAction, delay: timedelta | None) -> None:
    decision = VenueRetryPolicy().evaluate(error, try_number=1, max_tries=3)
    assert (decision.action, decision.retry_delay) == (action, delay)


def test_every_class_of_error_was_thought_of() -> None:
    known = {name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Exception)}
    assert known == {
        "VenueError",
        "RateLimitedError",
        "BannedError",
        "GeoBlockedError",
        "ForbiddenError",
        "UnavailableError",
        "RequestRejectedError",
        "UnknownSymbolError",
        "AuthenticationError",
        "NoDataError",
        "CircuitOpenError",
        "OutOfReachError",
    }


def test_a_reason_is_given_for_a_person() -> None:
    policy = VenueRetryPolicy()
    refused = policy.evaluate(errors.RequestRejectedError("binance", "Illegal characters", -1100), 1, 3)
    assert "Illegal characters" in str(refused.reason)
    waiting = policy.evaluate(errors.RateLimitedError("binance", "x", 17), 1, 3)
    assert "17 s" in str(waiting.reason)


def test_it_survives_the_way_through_airflows_database() -> None:
    stored = VenueRetryPolicy().serialize()
    assert isinstance(VenueRetryPolicy.deserialize(stored), VenueRetryPolicy)
