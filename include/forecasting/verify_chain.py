"""Walks one chain of sealed forecasts and names the rows at fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Literal

from include.forecasting.chain import GENESIS, SealedRow, Series, instant
from include.forecasting.verify_column import Altered, altered_column
from include.forecasting.verify_heads import EMPTY, Head, NotedHeads

FindingKind = Literal["altered", "removed", "inserted", "reordered", "rewritten", "unsealed", "score", "scoreboard"]

# Telling the column takes some 10 ms a row; where a whole table was altered, the first rows say enough.
MOST_COLUMNS_TOLD = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. position, forecast_id and times are those of the row where there is one; times are UTC.

    column: what was altered in it, where that can be told.
    """

    kind: FindingKind
    detail: str
    series: Series | None = None
    position: int | None = None
    forecast_id: int | None = None
    target_at: datetime | None = None
    made_at: datetime | None = None
    column: str | None = None


@dataclass
class ChainWalk:
    """One chain on its way; `head` and `rows` are what was seen once `findings` is exhausted.

    world: of the forecasts; only in the live one do seals and targets have one clock.
    """

    series: Series
    noted: Sequence[NotedHeads] = ()
    world: str | None = None
    columns_left: int = MOST_COLUMNS_TOLD
    head: Head = EMPTY
    rows: int = 0
    _before: SealedRow | None = field(default=None, init=False)

    def findings(self, rows: Iterable[SealedRow]) -> Iterator[Finding]:
        """Every fault of the chain. rows: of this series, ordered by position; read once, a few are held at a time."""
        places = (list(alike) for _, alike in groupby(rows, key=lambda row: row.position))
        here = next(places, None)
        while here is not None:
            after = next(places, [])
            yield from self._place(here, after)
            here = after or None
        yield from self._end()

    def _place(self, here: list[SealedRow], after: list[SealedRow]) -> Iterator[Finding]:
        """Judge the rows that say they are at one place; a whole chain has one."""
        self.rows += len(here)
        followers = [row for row in after if row.position == here[0].position + 1]
        row = max(here, key=lambda each: self._standing(each, followers))
        for other in here:
            if other is not row:
                yield self._rival(other)
        yield from self._gap(row)
        yield from self._row(row, followers, after[0] if after else None)
        yield from self._against_clock(row)
        yield from self._against_notes(row)
        self._before = row
        self.head = Head(row.position, row.row_sha256)

    def _standing(self, row: SealedRow, followers: list[SealedRow]) -> tuple[bool, bool, bool]:
        """How much speaks for a row among several at one place."""
        return any(_names(each, row) for each in followers), self._follows(row), row.is_whole

    def _follows(self, row: SealedRow) -> bool:
        return _names(row, self._before) if self._before else row.previous_sha256 == GENESIS

    def _gap(self, row: SealedRow) -> Iterator[Finding]:
        first = self._before.position + 1 if self._before else 1
        if row.position <= first:
            return
        last = row.position - 1
        after = f"after the target {_shown(self._before)}" if self._before else "from the beginning"
        which = f"row {first} is" if first == last else f"rows {first} to {last} are"
        detail = f"{which} not there: {after}, before the target {_shown(row)}; its hash was {row.previous_sha256}"
        yield Finding("removed", detail, self.series, first)

    def _row(self, row: SealedRow, followers: list[SealedRow], after: SealedRow | None) -> Iterator[Finding]:
        if not row.is_whole:
            yield self._altered(row, followers, after)
        elif followers and not any(_names(each, row) for each in followers) and any(r.is_whole for r in followers):
            yield self._finding(
                "altered",
                row,
                "replaced, its hash computed anew: the row after it was sealed upon another, "
                f"{followers[0].previous_sha256}",
            )
        elif row.position == 1 and not self._follows(row):
            yield self._finding("altered", row, "the first row names a row before it", "previous_sha256")

    def _rival(self, row: SealedRow) -> Finding:
        """A row at a place that another has by right."""
        found = None if row.is_whole else self._told(row, None)
        if found and found.column == "chain_position":
            return self._reordered(row, found)
        return self._finding("inserted", row, "another row has this place in the chain")

    def _told(self, row: SealedRow, after: SealedRow | None) -> Altered | None:
        if self.columns_left <= 0:
            return None
        self.columns_left -= 1
        return altered_column(row, self._before, after)

    def _altered(self, row: SealedRow, followers: list[SealedRow], after: SealedRow | None) -> Finding:
        """A row that does not say what its hash says."""
        if any(each.previous_sha256 == row.computed_sha256 for each in followers):
            return self._finding("altered", row, f"row_sha256 was {row.computed_sha256}", "row_sha256")
        found = self._told(row, after)
        if found and found.column == "chain_position":
            return self._reordered(row, found)
        if found:
            now = row.fields.get(found.column, "NULL")
            detail = f"{found.column} was {found.was or 'NULL'} and is {now} in the sealed form"
            return self._finding("altered", row, detail, found.column)
        what = "its content is not what was sealed; which column cannot be told"
        if not any(_names(each, row) for each in followers):
            what = "altered or inserted: its content is not what its hash says, and no row was sealed upon it"
        return self._finding("altered", row, what)

    def _reordered(self, row: SealedRow, found: Altered) -> Finding:
        return self._finding("reordered", row, f"it was row {found.was} of its chain", found.column)

    def _against_clock(self, row: SealedRow) -> Iterator[Finding]:
        sealed_at, target_at = row.values["sealed_at"], row.values["target_at"]
        if self.world == "live" and row.is_whole and None not in (sealed_at, target_at) and sealed_at >= target_at:
            yield self._finding("inserted", row, f"sealed at {instant(sealed_at)}, when its target had passed")

    def _against_notes(self, row: SealedRow) -> Iterator[Finding]:
        for notes in self.noted:
            head = notes.of(self.series)
            if row.position == head.position and row.row_sha256 != head.row_sha256:
                detail = f"the head noted at {notes.noted_at:%Y-%m-%d %H:%M:%S%z} was {head.row_sha256}"
                yield self._finding("rewritten", row, f"this row or rows before it were computed anew: {detail}")
            if row.position > head.position and notes.is_past(instant(row.values["target_at"])):
                detail = f"not yet there at {notes.noted_at:%Y-%m-%d %H:%M:%S%z}, when its target had passed"
                yield self._finding("inserted", row, detail)

    def _end(self) -> Iterator[Finding]:
        """Rows at the end leave no trace but in a head that was noted."""
        farthest = max((notes.of(self.series).position for notes in self.noted), default=0)
        if farthest > self.head.position:
            first = self.head.position + 1
            which = f"row {first} is" if first == farthest else f"rows {first} to {farthest} are"
            after = f", after the target {_shown(self._before)}" if self._before else ""
            yield Finding("removed", f"{which} not there, but were when a head was noted{after}", self.series, first)

    def _finding(self, kind: FindingKind, row: SealedRow, detail: str, column: str | None = None) -> Finding:
        values = row.values
        target_at, made_at = instant(values["target_at"]), instant(values["made_at"])
        return Finding(kind, detail, self.series, row.position, values["forecast_id"], target_at, made_at, column)


def _names(row: SealedRow, before: SealedRow) -> bool:
    """Whether a row was sealed upon the one before, by the hash that one carries or by the one it ought to carry."""
    return row.previous_sha256 in (before.row_sha256, before.computed_sha256)


def _shown(row: SealedRow | None) -> str:
    at = instant(row.values["target_at"]) if row else None
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "?"
