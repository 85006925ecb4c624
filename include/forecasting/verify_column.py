"""Which column of a row was altered: the one whose former value makes the row's hash right again.

A hash says that a row was altered and nothing of where. But what was altered by little, or to a value that other
columns contradict, can be found by trying: values the neighbours imply, then each value one character away.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from include.candles.timeframes import SECONDS
from include.forecasting.chain import COLUMNS, GENESIS, TEXT_OF, SealedRow, sealed_bytes, sealed_line

NAMES = list(COLUMNS)
PRINTABLE = "".join(map(chr, range(32, 127)))
DIGITS = "0123456789"
HEX = DIGITS + "abcdef"


class Altered(NamedTuple):
    """A column and the sealed text it had (None: it was NULL)."""

    column: str
    was: str | None


def altered_column(row: SealedRow, before: SealedRow | None, after: SealedRow | None) -> Altered | None:
    """The one column that was altered in a row that is not whole; None where it cannot be told.

    before, after: its neighbours in the chain.
    """
    around: dict[
        str, tuple[Any, bytes]
    ] = {}  # of a column: the hash of what stands before it, and what stands after it
    for column, was in _candidates(row, before, after):
        if column not in around:
            place = NAMES.index(column)
            start, rest = (
                {name: row.fields[name] for name in part if name in row.fields}
                for part in (NAMES[:place], NAMES[place + 1 :])
            )
            around[column] = hashlib.sha256(sealed_bytes(start)), sealed_bytes(rest)
        digest = around[column][0].copy()
        digest.update(sealed_line(column, was) + around[column][1])
        if digest.hexdigest() == row.row_sha256:
            return Altered(column, was)
    return None


def _candidates(row: SealedRow, before: SealedRow | None, after: SealedRow | None) -> Iterator[tuple[str, str | None]]:
    yield from _implied(row, before, after)
    for name, kind in COLUMNS.items():
        value = row.values[name]
        if value is None:
            continue
        if kind == "float":
            yield from ((name, text) for text in _one_byte_away(value))
        else:
            yield from ((name, text) for text in _one_character_away(name, value))


def _implied(row: SealedRow, before: SealedRow | None, after: SealedRow | None) -> Iterator[tuple[str, str | None]]:
    """What the rest of the row and the rows beside it say the columns must be."""
    values = row.values
    yield "chain_position", str(before.position + 1 if before else 1)
    if after:
        yield "chain_position", str(after.position - 1)
    yield "previous_sha256", before.row_sha256 if before else GENESIS
    yield "is_naive", "true" if values["model"] == "naive" else "false"
    ahead = Decimal((values["horizon_bars"] or 0) * SECONDS.get(values["timeframe"], 0) * 1_000_000)
    if values["as_of"] is not None and values["target_at"] is not None:
        yield "target_at", TEXT_OF["time"](values["as_of"] + ahead)
        yield "as_of", TEXT_OF["time"](values["target_at"] - ahead)
    for beside in filter(None, (before, after)):
        yield from ((name, beside.fields.get(name)) for name in COLUMNS)
    for price in ("as_of_price", "predicted_price"):
        yield from ((name, row.fields.get(price)) for name in ("as_of_price", "predicted_price"))


def _one_character_away(name: str, value: Any) -> Iterator[str]:
    kind = COLUMNS[name]
    if isinstance(value, Decimal) and not value.is_finite():
        return
    text = format(value, "f") if isinstance(value, Decimal) else TEXT_OF[kind](value)
    alphabet = HEX if name == "previous_sha256" else PRINTABLE if kind == "text" else DIGITS
    for place, present in enumerate(text):
        if present == "." and isinstance(value, Decimal):
            continue
        for other in alphabet:
            changed = text[:place] + other + text[place + 1 :]
            yield TEXT_OF[kind](Decimal(changed)) if isinstance(value, Decimal) else changed


def _one_byte_away(value: float) -> Iterator[str]:
    packed = struct.pack(">d", value)
    for place in range(len(packed)):
        for other in range(256):
            yield (packed[:place] + bytes([other]) + packed[place + 1 :]).hex()
