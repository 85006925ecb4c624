"""What one collection task did, for its log, its XCom and its metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass


class NothingToCollect(Exception):
    """The window cannot hold anything, for the reason given; a task is skipped, not failed."""


@dataclass(frozen=True, slots=True)
class CollectOutcome:
    """Rows by fate; `rejected` rows lie in market.quarantine.

    dataset: candle, ticker, coin_snapshot or fear_greed. what: the series meant, for a person.
    """

    dataset: str
    what: str = ""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0

    def __add__(self, other: CollectOutcome) -> CollectOutcome:
        return CollectOutcome(
            self.dataset,
            self.what or other.what,
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.rejected + other.rejected,
        )

    def as_dict(self) -> dict[str, str | int]:
        return asdict(self)

    def __str__(self) -> str:
        counts = f"{self.new} new, {self.changed} changed, {self.unchanged} unchanged, {self.rejected} rejected"
        return f"{self.what or self.dataset}: {counts}"
