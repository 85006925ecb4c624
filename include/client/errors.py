"""What can go wrong when the data API is asked, by what the asker has to do about it."""

from __future__ import annotations

from typing import Any


class Abstained(Exception):
    """The API has rows but says that they are not to be relied on.

    reasons: why, each with `code` and `text`. trust: all that the answer says of itself.
    """

    def __init__(self, trust: dict[str, Any]) -> None:
        self.trust = trust
        self.reasons: list[dict[str, Any]] = trust["reasons"]
        said = "; ".join(f"{reason['code']}: {reason['text']}" for reason in self.reasons)
        super().__init__(f"{said} (untrusted=True brings the rows all the same)")


class ApiError(Exception):
    """No answer. status: of the response, None where there was none. kind: the problem's `type`, where it has one."""

    def __init__(self, detail: str, status: int | None = None, kind: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.kind = status, kind


class NotLoggedInError(ApiError):
    """401: the user name, the password or the token is not accepted."""


class ForbiddenError(ApiError):
    """403: this user may not ask that; an administrator of Airflow gives the right."""


class UnknownSubjectError(ApiError):
    """404: there is no such market, or no such path; the message names what there is."""


class InvalidQuestionError(ApiError):
    """422: a parameter is wrong; the message names it."""


class UnavailableError(ApiError):
    """503, or no connection: try again later, or ask for a shorter window; the message says which."""


BY_STATUS: dict[int, type[ApiError]] = {
    401: NotLoggedInError,
    403: ForbiddenError,
    404: UnknownSubjectError,
    422: InvalidQuestionError,
    503: UnavailableError,
}
