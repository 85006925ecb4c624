"""What was written down and never changes: revisions, rejected rows, decisions, runs, and how forecasts have done.

Such answers do not abstain: they say what was, whenever that ended.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from include.serving.deadlines import MODEL_AGE
from include.serving.selection import Answer, Selection, Snapshot

WINDOWS: dict[str, int | None] = {"7 days": 7, "30 days": 30, "90 days": 90, "all": None}  # of the scoreboard


def recorded(look: Snapshot, file: str, key: tuple[str, ...], **values: Any) -> Answer:
    """Rows of a statement of sql/serving by their key, with the statement's parameters."""
    return Answer(Selection(file, values, key=key), look.trust(None, None))


def scoreboard(look: Snapshot, window: str, venue: str | None, symbol: str | None, horizon: str | None) -> Answer:
    """Skill of every model served against every baseline, over one of WINDOWS back from the newest outcome."""
    return recorded(look, "scoreboard", (), time_window=window, venue=venue, symbol=symbol, horizon=horizon)


def calibration(
    look: Snapshot, window: str, venue: str | None, symbol: str | None, horizon: str | None, *, of_direction: bool
) -> Answer:
    """How often outcomes lay within the intervals; or, of_direction, how often prices rose where that was likely."""
    file = "calibration_direction" if of_direction else "calibration"
    return recorded(look, file, (), days=WINDOWS[window], venue=venue, symbol=symbol, horizon=horizon)


def models(look: Snapshot, venue: str | None, symbol: str | None, horizon: str | None) -> Answer:
    """Newest and serving training of each kind of forecast, with its age."""
    deadline = MODEL_AGE.total_seconds()
    named = {"venue": venue, "symbol": symbol, "horizon": horizon}
    return recorded(look, "models", (), now=look.now, deadline_seconds=deadline, **named)


def latency(look: Snapshot, start: datetime, end: datetime) -> Answer:
    """Seconds from the close of each hour in [start, end) to the last of its forecasts."""
    return recorded(look, "pipeline_latency", ("hour_at",), starts_at=start, ends_at=end)
