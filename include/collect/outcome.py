"""What one collection task did, for its log, its XCom and its metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass


class NothingToCollect(Exception):  # noqa: N818 - not an error: the window holds nothing for this source, by its nature
    """The window cannot hold anything, for the reason given; a task is skipped, not failed."""


@dataclass(frozen=True, slots=True)
class CollectOutcome:
    """Rows by fate. `rejected` rows lie in market.quarantine."""

    what: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0

    def as_dict(self) -> dict[str, str | int]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.what}: {self.new} new, {self.changed} changed, {self.unchanged} unchanged, {self.rejected} rejected"
