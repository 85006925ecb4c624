"""Cursors: where the next page begins, opaque to whoever carries it and good for the same question only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from include.api.formats import duration
from include.api.problems import Problem
from include.serving.selection import Rows, Selection, Table

LARGEST_CURSOR = 1000  # characters
MOVING = {"starts_at", "ends_at", "now"}


def cursor_of(selection: Selection | Table, key: Sequence[Any]) -> str:
    """A cursor to go on after the row with this key."""
    return base64.urlsafe_b64encode(json.dumps([_question(selection), *map(_plain, key)]).encode()).decode().rstrip("=")


def key_of(selection: Selection | Table, cursor: str | None) -> list[Any] | None:
    """The key that the cursor goes on after. Raises Problem (422) for a cursor that is none, or of another question."""
    if cursor is None:
        return None
    try:
        read = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        question, *key = read
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Problem(422, "invalid-cursor", "the cursor is none that this API gave") from None
    if question != _question(selection) or len(key) != len(selection.key) or not all(map(_is_plain, key)):
        raise Problem(422, "invalid-cursor", "the cursor belongs to another question: send the same parameters")
    return list(key)


def rows_after(table: Table, key: Sequence[Any] | None) -> Rows:
    """The rows of a table after the one with this key, whether that is still there or not. Raises Problem (422)."""
    rows = table.all_rows
    if key is None:
        return rows
    places = [rows.names.index(name) for name in table.key]
    try:
        later = [row for row in rows.values if [_plain(row[place]) for place in places] > list(key)]
    except TypeError:
        raise Problem(422, "invalid-cursor", "the cursor is none that this API gave") from None
    return rows._replace(values=later)


def _question(selection: Selection | Table) -> str:
    """A digest of the file and the values, but for the window, which moves on with now: the key says where to go on."""
    asked = {name: str(value) for name, value in _lasting(selection.values).items()}
    return hashlib.sha256(json.dumps([selection.file, asked], sort_keys=True).encode()).hexdigest()[:16]


def _lasting(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in MOVING}


def _plain(value: Any) -> str | int | float | None:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration(value)
    return value if isinstance(value, int | float) or value is None else str(value)


def _is_plain(value: Any) -> bool:
    return value.isprintable() if isinstance(value, str) else isinstance(value, int | float)
