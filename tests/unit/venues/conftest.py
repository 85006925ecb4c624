"""A transport that answers from a script, so that parsers meet any answer without a network."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from include.venues.http import Response, Retry

URL = "https://venue.test"


class ScriptedTransport:
    """Gives the answers one after another, the last one for ever; `requests` holds what was asked."""

    def __init__(self, *answers: Response | Exception | Callable[[str, dict[str, Any]], Response]) -> None:
        self.answers = answers
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []

    def get(
        self, path: str, params: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append((path, dict(params or {}), dict(headers or {})))
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Response) else answer(path, dict(params or {}))


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An HTTP answer; anything but bytes is written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, CaseInsensitiveDict(headers or {}), raw, f"{URL}/asked")


@pytest.fixture(name="scripted")
def scripted_transport() -> type[ScriptedTransport]:
    return ScriptedTransport


@pytest.fixture(name="answer")
def answer_factory() -> Callable[..., Response]:
    return answer


@pytest.fixture
def waits() -> list[float]:
    """Seconds that were slept, in order."""
    return []


@pytest.fixture
def retry(waits: list[float]) -> Retry:
    """Three attempts and no real waiting."""
    return Retry(attempts=3, sleep=waits.append)
