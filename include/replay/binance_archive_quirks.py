"""What files of the real archive have been wrong with, on demand and by the name of the file.

- `wrong_checksum`: the file was rewritten, its checksum was not
- `missing_checksum`: there is none
- `header_line`: the CSV begins with column names
- `truncated_month`: published too early, with the first third of its rows
- `short_day`: ten rows in the middle are missing
- `corrupt`: bytes in the middle are spoilt, and the checksum is that of the spoilt file
- `unpublished`: not there, though its day has come
"""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.replay.answers import json_answer

KINDS = (
    "wrong_checksum",
    "missing_checksum",
    "header_line",
    "truncated_month",
    "short_day",
    "corrupt",
    "unpublished",
)


class Quirk(NamedTuple):
    """One fault, of KINDS. file: a name or a shell pattern (`BTCUSDT-1h-2024-*.zip`). until: when it is put right."""

    kind: str
    file: str
    until: datetime | None = None


class ArchiveQuirks:
    """`/archive_quirks` and what was asked for there; POST adds one, GET lists them, DELETE forgets all."""

    def __init__(self) -> None:
        self._quirks: list[Quirk] = []

    def add(self, quirk: Quirk) -> None:
        """Raises ValueError for an unknown kind."""
        if quirk.kind not in KINDS:
            raise ValueError(f"unknown kind {quirk.kind!r}; known: {', '.join(KINDS)}")
        self._quirks.append(quirk)

    def clear(self) -> None:
        self._quirks.clear()

    def of(self, name: str, now: datetime) -> tuple[frozenset[str], datetime | None]:
        """Kinds a file suffers from at `now`, and when it was last put right, None where it never was wrong."""
        meant = [quirk for quirk in self._quirks if fnmatchcase(name, quirk.file)]
        healed = [quirk.until for quirk in meant if quirk.until and quirk.until <= now]
        return frozenset(q.kind for q in meant if q.until not in healed), max(healed, default=None)

    def routes(self) -> list[Route]:
        return [
            Route("/archive_quirks", self._list, methods=["GET"]),
            Route("/archive_quirks", self._add, methods=["POST"]),
            Route("/archive_quirks", self._clear, methods=["DELETE"]),
        ]

    async def _list(self, request: Request) -> Response:
        return json_answer([quirk._asdict() for quirk in self._quirks])

    async def _add(self, request: Request) -> Response:
        """Body `{"kind", "file"}` and, where it is put right one day, `until` (ISO 8601 with its offset)."""
        try:
            wish = orjson.loads(await request.body())
            until = datetime.fromisoformat(wish["until"]) if wish.get("until") else None
            if until and until.tzinfo is None:
                raise ValueError(f"{wish['until']} has no UTC offset")
            self.add(Quirk(str(wish["kind"]), str(wish["file"]), until and until.astimezone(UTC)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)
        return json_answer([quirk._asdict() for quirk in self._quirks], 201)

    async def _clear(self, request: Request) -> Response:
        self.clear()
        return json_answer([])
