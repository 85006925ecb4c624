"""Answers of a venue that break on their way: cut, malformed, dropped, with a wrong checksum or another time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import orjson
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

# `cut` ends in the middle of the body, `dropped` ends the connection there, `malformed` has bytes of no JSON in it.
SPOILT = ("cut", "malformed", "dropped", "wrong_checksum")
_HEX = re.compile(rb"^[0-9a-f]{64}")
_OTHER_DIGITS = bytes.maketrans(b"0123456789abcdef", b"123456789abcdef0")


def spoilt(kind: str, send: Send) -> Send:
    """Pass on the answer with a fault of a kind of SPOILT in its body."""

    def spoil(headers: MutableHeaders, body: bytes) -> tuple[bytes, bool]:
        half = len(body) // 2
        match kind:
            case "malformed":
                body = body[:half] + b"\x00<" + body[half:]
            case "wrong_checksum":
                body = _HEX.sub(lambda found: found[0].translate(_OTHER_DIGITS), body)
            case _:
                body = body[:half]
        if kind != "dropped":
            headers["content-length"] = str(len(body))
        return body, kind == "dropped"

    return _rewritten(send, spoil)


def shifted(seconds: float, send: Send) -> Send:
    """Pass on the answer of a time endpoint of a venue whose clock is `seconds` ahead."""

    def shift(headers: MutableHeaders, body: bytes) -> tuple[bytes, bool]:
        try:
            body = orjson.dumps(_later(orjson.loads(body), timedelta(seconds=seconds)))
        except orjson.JSONDecodeError:  # a page of an error tells no time
            return body, False
        headers["content-length"] = str(len(body))
        return body, False

    return _rewritten(send, shift)


def _later(answer: object, by: timedelta) -> object:
    """Every time in the answer of a time endpoint, later by `by`, whatever the venue's unit."""
    if isinstance(answer, dict):
        return {key: _later(value, by) for key, value in answer.items()}
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return answer + type(answer)(by.total_seconds() * (1000 if answer > 10**11 else 1))
    if isinstance(answer, str):
        if answer.isdecimal():
            return str(_later(int(answer), by))
        for read, write in _TIME_TEXTS:
            try:
                return write(read(answer) + by)
            except ValueError:
                continue
    return answer


_TIME_TEXTS: tuple[tuple[Callable[[str], datetime], Callable[[datetime], str]], ...] = (
    (parsedate_to_datetime, lambda at: at.strftime("%a, %d %b %y %H:%M:%S %z")),
    (datetime.fromisoformat, lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z")),
)


def _rewritten(send: Send, change: Callable[[MutableHeaders, bytes], tuple[bytes, bool]]) -> Send:
    """Hold the answer back until its body is whole, then pass on what `change` makes of headers and body, and
    whether more is promised than comes."""
    started: list[Message] = []
    parts: list[bytes] = []

    async def rewritten(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.append(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body, is_unfinished = change(MutableHeaders(scope=started[0]), b"".join(parts))
        await send(started[0])
        await send({"type": "http.response.body", "body": body, "more_body": is_unfinished})

    return rewritten
