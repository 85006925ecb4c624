"""What a venue's refusal means for Airflow: come again when told, without a held slot or a lost try, or stop asking."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import RetryAction, timezone
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowRescheduleException

PATIENCE = timedelta(minutes=30)  # a later run, or the repair, fetches what this one cannot wait for
FORBIDDEN_PAUSE = timedelta(minutes=5)  # a firewall's block outlasts any quick retry
UNTOLD_SECONDS = 60.0  # where a venue limits us without saying for how long
# A task that comes again sooner may meet its own predecessor in the scheduler, which then counts it as killed.
SHORTEST_RESCHEDULE_SECONDS = 10.0
# Tasks that wait for the same host wake up spread over a share of their wait, within these bounds in seconds.
SPREAD_SHARE, LEAST_SPREAD, MOST_SPREAD = 0.1, 5.0, 30.0


class VenueRetryPolicy(RetryPolicy):
    """Retry-After is obeyed; what can never succeed, or not within `patience`, fails at once.

    An Airflow retry policy can end retries early but not add any: a wait that it grants is one of the task's tries.
    Operators therefore put their tasks off by `put_off`, and the policy meets only waits that are too long for it.
    """

    def __init__(self, patience: timedelta = PATIENCE) -> None:
        self.patience = patience

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        from include.venues import errors

        if isinstance(exception, errors.RateLimitedError):
            seconds = _wait_seconds(exception)
            if seconds > self.patience.total_seconds():
                return RetryDecision.fail(f"the wait of {seconds:.0f} s is too long for this run: {exception}")
            wait = timedelta(seconds=seconds + _spread_seconds(seconds, context))
            return RetryDecision.retry(wait, f"wait {seconds:.0f} s for {exception}")
        if isinstance(exception, errors.ForbiddenError):
            spread = _spread_seconds(FORBIDDEN_PAUSE.total_seconds(), context)
            return RetryDecision.retry(FORBIDDEN_PAUSE + timedelta(seconds=spread), "blocked by the venue's firewall")
        if isinstance(exception, (errors.GeoBlockedError, errors.AuthenticationError, errors.RequestRejectedError)):
            return RetryDecision.fail(f"asking again cannot help: {exception}")
        return RetryDecision(RetryAction.DEFAULT)

    def serialize(self) -> dict[str, Any]:
        return {"__type": "VenueRetryPolicy", "patience_seconds": self.patience.total_seconds()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> VenueRetryPolicy:
        return cls(timedelta(seconds=data["patience_seconds"]))


@contextmanager
def put_off(context: Any) -> Iterator[None]:
    """Around an operator's work: a wait for the venue becomes a rescheduling, which uses no slot and none of the tries.

    Within one try the task is put off until the patience of its VenueRetryPolicy is used up, counted from the first
    time; then RateLimitedError is raised as it came, for the policy to judge. What was stored stays stored.
    """
    from include.venues.errors import RateLimitedError

    try:
        yield
    except RateLimitedError as error:
        seconds = max(_wait_seconds(error), SHORTEST_RESCHEDULE_SECONDS)
        instance, policy = context["ti"], context["task"].retry_policy
        patience = policy.patience if isinstance(policy, VenueRetryPolicy) else PATIENCE
        now = timezone.utcnow()  # the scheduler's time, in a replayed world too
        wakes_at = now + timedelta(seconds=seconds)
        if wakes_at - (instance.get_first_reschedule_date(context) or now) > patience:
            raise
        context["task"].log.info("put off for %.0f s: %s", seconds, error)
        wakes_at += timedelta(seconds=_spread_seconds(seconds, context))
        raise AirflowRescheduleException(wakes_at) from error  # type: ignore[no-untyped-call]


def _wait_seconds(error: Any) -> float:
    """Seconds to wait; 0 is an answer of its own."""
    told = error.retry_after_seconds
    return UNTOLD_SECONDS if told is None else float(told)


def _spread_seconds(seconds: float, context: Any) -> float:
    """Seconds to wait beyond the rest, the same for each try of a task instance and different between them."""
    if not context:
        return 0.0
    ti = context["ti"]
    name = f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.map_index}/{ti.try_number}"
    fraction = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
    return fraction * min(max(SPREAD_SHARE * seconds, LEAST_SPREAD), MOST_SPREAD)
