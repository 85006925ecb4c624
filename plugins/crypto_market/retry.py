"""What a venue's refusal means for Airflow's retries: wait as told, or stop asking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import RetryAction
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

FORBIDDEN_PAUSE = timedelta(minutes=5)  # a firewall's block outlasts any quick retry


class VenueRetryPolicy(RetryPolicy):
    """Retry-After is obeyed by rescheduling the task; what can never succeed fails at once."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        from include.venues import errors

        if isinstance(exception, (errors.RateLimitedError, errors.BannedError)):
            seconds = exception.retry_after_seconds or 60
            return RetryDecision.retry(timedelta(seconds=seconds), f"the venue said to wait {seconds:.0f} s")
        if isinstance(exception, errors.ForbiddenError):
            return RetryDecision.retry(FORBIDDEN_PAUSE, "blocked by the venue's firewall")
        if isinstance(exception, (errors.GeoBlockedError, errors.AuthenticationError, errors.RequestRejectedError)):
            return RetryDecision.fail(f"asking again cannot help: {exception}")
        return RetryDecision(RetryAction.DEFAULT)

    def serialize(self) -> dict[str, Any]:
        return {"__type": "VenueRetryPolicy"}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> VenueRetryPolicy:
        return cls()
