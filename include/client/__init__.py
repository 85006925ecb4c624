"""The data API as pandas DataFrames, for notebooks and scripts: `from include.client import Client`."""

from include.client.client import Client
from include.client.errors import (
    Abstained,
    ApiError,
    ForbiddenError,
    InvalidQuestionError,
    NotLoggedInError,
    UnavailableError,
    UnknownSubjectError,
)

__all__ = [
    "Abstained",
    "ApiError",
    "Client",
    "ForbiddenError",
    "InvalidQuestionError",
    "NotLoggedInError",
    "UnavailableError",
    "UnknownSubjectError",
]
