"""What each kind of refusal means for Airflow: retries, and tasks that are put off."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import RetryAction, timezone
from airflow.sdk.exceptions import AirflowRescheduleException

from crypto_market.retry import FORBIDDEN_PAUSE, MOST_SPREAD, VenueRetryPolicy, put_off
from include.venues import errors
from include.warehouse.world import WorldMismatchError


@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        (errors.RateLimitedError("binance", "slow down", 17), RetryAction.RETRY, timedelta(seconds=17)),
        (errors.RateLimitedError("binance", "slow down"), RetryAction.RETRY, timedelta(seconds=60)),
        (errors.RateLimitedError("binance", "at once", 0), RetryAction.RETRY, timedelta(0)),
        (errors.BannedError("binance", "banned", 1800), RetryAction.RETRY, timedelta(minutes=30)),
        (errors.BannedError("binance", "banned", 1801), RetryAction.FAIL, None),
        (errors.CircuitOpenError("binance", "open after 451", 90), RetryAction.RETRY, timedelta(seconds=90)),
        (errors.OutOfReachError("kraken", "older than 720 candles"), RetryAction.FAIL, None),
        (errors.ForbiddenError("binance", "firewall"), RetryAction.RETRY, FORBIDDEN_PAUSE),
        (errors.GeoBlockedError("binance", "not here"), RetryAction.FAIL, None),
        (errors.AuthenticationError("coingecko", "key"), RetryAction.FAIL, None),
        (errors.RequestRejectedError("binance", "bad", -1100), RetryAction.FAIL, None),
        (errors.UnknownSymbolError("binance", "gone", -1121), RetryAction.FAIL, None),
        (errors.UnavailableError("binance", "down"), RetryAction.DEFAULT, None),
        (errors.NoDataError("binance", "nothing"), RetryAction.DEFAULT, None),
        (errors.NotPublishedError("binance_archive", "not yet", True), RetryAction.DEFAULT, None),
        (errors.ChecksumMismatchError("binance_archive", "replaced"), RetryAction.DEFAULT, None),
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
        "NotPublishedError",
        "CorruptFileError",
        "ChecksumMismatchError",
    }


def test_a_reason_is_given_for_a_person() -> None:
    policy = VenueRetryPolicy()
    refused = policy.evaluate(errors.RequestRejectedError("binance", "Illegal characters", -1100), 1, 3)
    assert "Illegal characters" in str(refused.reason)
    waiting = policy.evaluate(errors.RateLimitedError("binance", "x", 17), 1, 3)
    assert "17 s" in str(waiting.reason)


def test_it_survives_the_way_through_airflows_database() -> None:
    stored = VenueRetryPolicy(patience=timedelta(hours=3)).serialize()
    assert VenueRetryPolicy.deserialize(stored).patience == timedelta(hours=3)


NOW = datetime(2024, 6, 1, 12, 40, tzinfo=UTC)


def context(map_index: int = -1, patience: timedelta | None = None, first: datetime | None = None) -> Any:
    """A running task instance, put off for the first time at `first`."""
    instance = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=map_index, try_number=1)
    instance.get_first_reschedule_date = lambda given: first
    policy = VenueRetryPolicy(patience) if patience else None
    return {"ti": instance, "task": SimpleNamespace(retry_policy=policy, log=logging.getLogger("task"))}


@pytest.fixture(autouse=True)
def scheduler_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "utcnow", lambda: NOW)


def woken_at(error: Exception, given: Any) -> float:
    """Seconds from NOW at which the task comes again."""
    with pytest.raises(AirflowRescheduleException) as put, put_off(given):
        raise error
    return float((put.value.reschedule_date - NOW).total_seconds())


@pytest.mark.parametrize("seconds", [0, 3, 10, 60, 1700])
@pytest.mark.parametrize("kind", [errors.RateLimitedError, errors.CircuitOpenError, errors.BannedError])
def test_a_wait_is_a_rescheduling_never_sooner_than_told(kind: type[errors.RateLimitedError], seconds: float) -> None:
    assert max(seconds, 10) <= woken_at(kind("v", "wait", seconds), context()) <= max(seconds, 10) + MOST_SPREAD


def test_a_wait_of_unknown_length_is_a_minute() -> None:
    assert 60 <= woken_at(errors.RateLimitedError("v", "wait"), context()) <= 66


def test_many_tasks_wake_up_spread_and_each_at_its_own_time() -> None:
    error = errors.RateLimitedError("v", "wait", 300)
    times = [woken_at(error, context(index)) for index in range(40)]
    assert times == [woken_at(error, context(index)) for index in range(40)]
    assert len(set(times)) == 40
    assert max(times) - min(times) > 20
    retries = [VenueRetryPolicy().evaluate(error, 1, 3, context(index)).retry_delay for index in range(40)]
    assert [delay.total_seconds() for delay in retries if delay] == pytest.approx(times)


def test_a_task_is_put_off_until_its_patience_is_used_up() -> None:
    error = errors.CircuitOpenError("v", "open", 600)
    woken_at(error, context(patience=timedelta(hours=2), first=NOW - timedelta(minutes=110)))
    for given in (
        context(patience=timedelta(hours=2), first=NOW - timedelta(minutes=111)),
        context(patience=timedelta(minutes=9)),
        context(first=NOW - timedelta(minutes=21)),
    ):
        with pytest.raises(errors.CircuitOpenError), put_off(given):
            raise error


@pytest.mark.parametrize("error", [errors.GeoBlockedError("v", "no"), errors.UnavailableError("v", "no"), OSError("x")])
def test_other_errors_pass_as_they_are(error: Exception) -> None:
    with pytest.raises(type(error)), put_off(context()):
        raise error
