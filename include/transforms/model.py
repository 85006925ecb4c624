"""What a run of the transforms did."""

from __future__ import annotations

from typing import Any, NamedTuple


class RowCounts(NamedTuple):
    """Rows of one table that were written."""

    new: int = 0
    changed: int = 0
    removed: int = 0

    def plus(self, other: RowCounts) -> RowCounts:
        return RowCounts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class AlertCounts(NamedTuple):
    """Alerts that came up, were given other figures, stand again, or were taken back."""

    fired: int = 0
    corrected: int = 0
    reinstated: int = 0
    retracted: int = 0

    def plus(self, other: AlertCounts) -> AlertCounts:
        return AlertCounts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class TransformRun(NamedTuple):
    """A run: coins it dealt with, change ranges it gave receipts for, rows by table, alerts."""

    coins: int = 0
    changes: int = 0
    candle_flag: RowCounts = RowCounts()
    hourly_price: RowCounts = RowCounts()
    daily_volume: RowCounts = RowCounts()
    daily_ranking: RowCounts = RowCounts()
    price_alert: AlertCounts = AlertCounts()

    def plus(self, other: TransformRun) -> TransformRun:
        """Both together, coin by coin."""
        return TransformRun(
            self.coins + other.coins,
            self.changes + other.changes,
            self.candle_flag.plus(other.candle_flag),
            self.hourly_price.plus(other.hourly_price),
            self.daily_volume.plus(other.daily_volume),
            self.daily_ranking.plus(other.daily_ranking),
            self.price_alert.plus(other.price_alert),
        )

    @property
    def tables(self) -> dict[str, RowCounts]:
        """Rows by table, alerts aside."""
        return {name: value for name, value in self._asdict().items() if isinstance(value, RowCounts)}

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers by name, for XCom."""
        rows = {name: counts._asdict() for name, counts in self.tables.items()}
        return {"coins": self.coins, "changes": self.changes, **rows, "price_alert": self.price_alert._asdict()}
