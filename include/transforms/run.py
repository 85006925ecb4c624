"""Brings the schema mart in line with the candles: what changed is computed with its reach, only what differs written.

The function looks at what is pending (`ops.change_range` without our receipt, definitions other than the present
ones) and repairs that. A repeat, a crash midway or a second run beside it end in the same rows. All arithmetic is done
by PostgreSQL, a few months at a time, so that memory does not grow with the history.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import datetime

from include.candles.timeframes import ceil, floor, step
from include.config.transforms import DOLLARS, PRICE_RULES, VENUE_PREFERENCE
from include.coverage.spans import Span
from include.transforms.coin import extents, transform_coin
from include.transforms.definition import definition_sha256
from include.transforms.model import RowCounts, TransformRun
from include.transforms.spans import computable, pieces, ranking_reach
from include.warehouse.changes import Change, acknowledge, pending_changes
from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement

CONSUMER = "transforms"
# The ranking compares coins, so it has receipts of its own: a change is ranked once its coin's flags are right.
RANKING_CONSUMER = "transforms.ranking"
RANKING = "ranking"


def run_transforms(connection: Connection, recorded_at: datetime) -> TransformRun:
    """Do what is due; one transaction per coin, and one for the ranking.

    recorded_at: our knowledge time (UTC) for rows that are new or differ, and the now that decides whether an alert is
    still to be sent. Nothing pending: nothing is written.
    """
    sha256 = definition_sha256()
    changes = pending_changes(connection, CONSUMER)
    instruments = _instruments(connection)
    outdated = {
        crypto
        for (crypto,) in connection.execute(statement("transforms/select_outdated_coins.sql"), {"sha256": sha256})
    }
    done = TransformRun()
    for crypto in sorted(outdated | {instruments[change.instrument_id] for change in changes if change.instrument_id}):
        done = done.plus(_coin(connection, crypto, instruments, recorded_at, sha256, everything=crypto in outdated))
    return done._replace(daily_ranking=_ranking(connection, recorded_at, sha256))


def _coin(
    connection: Connection,
    crypto: str,
    instruments: dict[int, str],
    recorded_at: datetime,
    sha256: str,
    *,
    everything: bool,
) -> TransformRun:
    ids = sorted(instrument_id for instrument_id, coin in instruments.items() if coin == crypto)
    with connection.transaction():
        # Pending changes are read again under the lock: a run beside this one may have dealt with them.
        lock(connection, f"transform {crypto}")
        changes = [change for change in pending_changes(connection, CONSUMER) if change.instrument_id in ids]
        held = extents(connection, crypto)
        changed = {timeframe: [extent.whole(step(timeframe))] for timeframe, extent in held.items()}
        if not everything:
            changed = {timeframe: spans for timeframe, spans in _spans(changes).items() if timeframe in held}
        done = transform_coin(
            connection,
            crypto,
            ids,
            changed,
            {timeframe: extent.kept_from for timeframe, extent in held.items()},
            recorded_at=recorded_at,
            because="definition" if everything else "candles",
        )
        _note(connection, crypto, sha256, recorded_at)
        acknowledge(connection, CONSUMER, changes)
    return done._replace(changes=len(changes))


def _ranking(connection: Connection, recorded_at: datetime, definition: str) -> RowCounts:
    """Rank the days that changes reach whose coins are done; all of them where the universe is another one."""
    with connection.transaction():
        lock(connection, "transform ranking")
        pending = pending_changes(connection, RANKING_CONSUMER)
        undone = {change.change_id for change in pending_changes(connection, CONSUMER)}
        changes = [change for change in pending if change.change_id not in undone]
        (universe,) = connection.execute(statement("transforms/select_universe.sql")).fetchone() or ("",)
        sha256 = hashlib.sha256(f"{definition} {universe}".encode()).hexdigest()
        known = connection.execute("select sha256 from mart.definition where subject = %s", (RANKING,)).fetchone()
        hours = extents(connection, None).get("1h")
        counts = RowCounts()
        if hours is not None:
            spans = _spans(changes).get("1h", [])
            if known != (sha256,):
                spans = [Span(floor(hours.first, "1d"), ceil(hours.last + step("1h"), "1d"))]
            values = {
                "recorded_at": recorded_at,
                "price_rules": list(PRICE_RULES),
                "dollars": list(DOLLARS),
                "venues": list(VENUE_PREFERENCE),
            }
            for span in pieces(computable(map(ranking_reach, spans), hours.kept_from)):
                bound = {**values, "starts_at": span.start, "ends_at": span.end}
                row = connection.execute(statement("transforms/upsert_daily_ranking.sql"), bound).fetchone()
                counts = counts.plus(RowCounts(*(row or ())))
            _note(connection, RANKING, sha256, recorded_at)
        acknowledge(connection, RANKING_CONSUMER, changes)
    return counts


def _instruments(connection: Connection) -> dict[int, str]:
    return dict(connection.execute(statement("transforms/select_coins.sql")).fetchall())


def _spans(changes: list[Change]) -> dict[str, list[Span]]:
    """What changed, by timeframe."""
    spans: dict[str, list[Span]] = defaultdict(list)
    for change in changes:
        spans[str(change.timeframe)].append(Span(change.start, change.end))
    return dict(spans)


def _note(connection: Connection, subject: str, sha256: str, recorded_at: datetime) -> None:
    values = {"subject": subject, "sha256": sha256, "recorded_at": recorded_at}
    connection.execute(statement("transforms/upsert_definition.sql"), values)
