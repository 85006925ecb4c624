"""Who is to be told of which alert: each is sent once and marked, in one transaction with the sending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class Notice(NamedTuple):
    """An alert to be sent, or (kind `retraction`) one that was sent and turned out not to be true.

    triggered_at: close of the candle (UTC). change_percent: of price over price_before, change_window earlier.
    """

    instrument_id: int
    kind: str
    crypto: str
    venue: str
    symbol: str
    quote: str
    direction: str
    triggered_at: datetime
    change_percent: Decimal
    price: Decimal
    price_before: Decimal
    threshold_percent: Decimal
    change_window: timedelta

    @property
    def message(self) -> str:
        """One line for people."""
        what = (
            f"{self.crypto} {self.change_percent:+.2f} % in {self.change_window // timedelta(hours=1)} h, "
            f"from {self.price_before:f} to {self.price:f} {self.quote} "
            f"({self.venue}, {self.triggered_at:%Y-%m-%d %H:%M} UTC)"
        )
        return what if self.kind == "alert" else f"Taken back, the candles were corrected: {what}"

    def as_dict(self) -> dict[str, Any]:
        """Fields as plain text and numbers, for templates."""
        return {
            "kind": self.kind,
            "crypto": self.crypto,
            "venue": self.venue,
            "symbol": self.symbol,
            "quote": self.quote,
            "direction": self.direction,
            "triggered_at": self.triggered_at.isoformat(),
            "change_percent": f"{self.change_percent:f}",
            "price": f"{self.price:f}",
            "price_before": f"{self.price_before:f}",
            "threshold_percent": f"{self.threshold_percent:f}",
            "change_hours": self.change_window // timedelta(hours=1),
        }


class NoticeCounts(NamedTuple):
    """Alerts and retractions that were sent, and alerts put down because another market spoke for the coin."""

    alerts: int
    retractions: int
    other_market: int


def send_notices(connection: Connection, now: datetime, send: Callable[[Notice], None]) -> NoticeCounts:
    """Send what is due, oldest first; whatever `send` raises is raised, and what it was about stays due.

    At least once: a process that dies between sending and marking sends again. Nothing that was due in time is given
    up, however long a notifier fails. A run beside this one passes over the row that is being sent.
    """
    other_market = connection.execute(statement("transforms/mark_other_market.sql")).rowcount
    sent = {"alert": 0, "retraction": 0}
    while (kind := _send_one(connection, now, send)) is not None:
        sent[kind] += 1
    return NoticeCounts(sent["alert"], sent["retraction"], other_market)


def _send_one(connection: Connection, now: datetime, send: Callable[[Notice], None]) -> str | None:
    with connection.transaction():
        row = connection.execute(statement("transforms/select_due_notice.sql")).fetchone()
        if row is None:
            return None
        notice = Notice(*row)
        send(notice)
        connection.execute(statement("transforms/mark_sent.sql"), {**notice._asdict(), "now": now})
    return notice.kind
