"""The same rejection has the same fingerprint, and only the same."""

from __future__ import annotations

from datetime import UTC, datetime

from include.candles.model import RejectedRow
from include.warehouse.quarantine import fingerprint

ROW = RejectedRow("reason", "raw", datetime(2024, 1, 1, tzinfo=UTC))


def test_fingerprint_covers_everything() -> None:
    prints = [
        fingerprint(ROW, "candle", 1),
        fingerprint(ROW, "candle", 2),
        fingerprint(ROW._replace(reason="other"), "candle", 1),
        fingerprint(ROW._replace(raw="other"), "candle", 1),
        fingerprint(ROW._replace(opened_at=None), "candle", 1),
        fingerprint(RejectedRow("reasonraw", "", ROW.opened_at), "candle", 1),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(RejectedRow(*ROW), "candle", 1) == prints[0]
