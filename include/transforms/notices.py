"""Who is to be told of which alert: each is sent once and marked, in one transaction with the sending."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from include.warehouse.connection import Connection
from include.warehouse.sql import statement

_log = logging.getLogger(__name__)


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


# One that was never due, to try templates with.
EXAMPLE = Notice(
    instrument_id=0,
    kind="alert",
    crypto="BTC",
    venue="binance",
    symbol="BTC/USDT",
    quote="USDT",
    direction="up",
    triggered_at=datetime(2024, 1, 2, 1, tzinfo=UTC),
    change_percent=Decimal("6.5"),
    price=Decimal("106.5"),
    price_before=Decimal(100),
    threshold_percent=Decimal(5),
    change_window=timedelta(hours=24),
)


class NoticeCounts(NamedTuple):
    """Alerts and retractions that were sent, and alerts put down because another market spoke for the coin."""

    alerts: int
    retractions: int
    other_market: int


class _Tried(NamedTuple):
    notice: Notice
    error: Exception | None


def send_notices(connection: Connection, now: datetime, send: Callable[[Notice], None]) -> NoticeCounts:
    """Send what is due, oldest first, each tried once; what `send` raises about stays due.

    A notice that `send` raises about holds up no other: the first error is raised, with the others as its notes, after
    the rest is sent. At least once: a process that dies between sending and marking sends again. Nothing that was due
    in time is given up, however long a notifier fails. A run beside this one passes over the row that is being sent.
    """
    other_market = connection.execute(statement("transforms/mark_other_market.sql")).rowcount
    sent = {"alert": 0, "retraction": 0}
    errors: list[Exception] = []
    last: Notice | None = None
    while (tried := _send_one_after(connection, last, now, send)) is not None:
        last, error = tried
        if error is None:
            sent[last.kind] += 1
        else:
            errors.append(error)
    if errors:
        for other in errors[1:]:
            errors[0].add_note(f"and {other!r}")
        raise errors[0]
    return NoticeCounts(sent["alert"], sent["retraction"], other_market)


def _send_one_after(
    connection: Connection, last: Notice | None, now: datetime, send: Callable[[Notice], None]
) -> _Tried | None:
    after = {name: getattr(last, name, None) for name in ("triggered_at", "instrument_id", "direction")}
    with connection.transaction():
        row = connection.execute(statement("transforms/select_due_notice.sql"), after).fetchone()
        if row is None:
            return None
        notice = Notice(*row)
        try:
            send(notice)
        except Exception as error:  # raised by send_notices
            _log.exception("not sent, stays due: %s", notice.message)
            return _Tried(notice, error)
        connection.execute(statement("transforms/mark_sent.sql"), {**notice._asdict(), "now": now})
    return _Tried(notice, None)
