"""Brings features.candle_feature in line with the candles: exactly what changed is computed, only what differs written.

The function looks at what is pending (`ops.change_range` without our receipt, definitions other than the present
ones) and repairs that. A repeat, a crash midway or a second run beside it end in the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy.typing as npt

from include.candles.timeframes import SECONDS, step
from include.features.blocks import (
    BarRange,
    bar_number,
    block_start,
    lookback_bars,
    merge,
    opening,
    pieces,
    reach,
    whole_memory_bars,
)
from include.features.clock_columns import Columns
from include.features.compute import CANDLE_COLUMNS, INDEX_COLUMNS, feature_columns
from include.features.definition import definition_sha256
from include.features.model import FEAR_GREED_STALE_DAYS, MEAN_DAYS
from include.features.reading import read_floats
from include.features.registry import NAMES
from include.features.staging import binary_rows
from include.warehouse.changes import Change, acknowledge, pending_changes
from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement
from include.warehouse.staging import UpsertCounts

CONSUMER = "features"
BLOCKS_AT_ONCE = 48  # some 23,000 rows: a few MB, however long the history


class FeatureRun(NamedTuple):
    """What a run did: instruments it touched, rows by outcome, change ranges it gave receipts for."""

    instruments: int
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    changes: int


class Series(NamedTuple):
    """One instrument's candles of one timeframe: what is computed, locked and committed as one."""

    instrument_id: int
    timeframe: str


def upsert_features(connection: Connection, recorded_at: datetime) -> FeatureRun:
    """Compute and store features of everything that changed; one transaction per instrument and timeframe.

    recorded_at: our knowledge time (UTC) for rows that are new or differ. Nothing pending: nothing is written.
    Raises ValueError, after the rest is done, for series whose figures cannot be computed with; they stay pending.
    """
    sentiment = pending_changes(connection, CONSUMER, "fear_greed")
    outdated = _series(connection, "features/select_outdated_series.sql", definition_sha256())
    changed = {(c.instrument_id, c.timeframe) for c in pending_changes(connection, CONSUMER)}
    due = {Series(id_, timeframe) for id_, timeframe in changed if id_ and timeframe} | set(outdated)
    if sentiment:
        due |= set(_series(connection, "features/select_series.sql"))
    if not due:
        return FeatureRun(0, 0, 0, 0, 0)
    counts, consumed = UpsertCounts(), 0
    errors: list[ValueError] = []
    for series in sorted(due):
        try:
            done, changes = _bring_up(connection, series, sentiment, recorded_at, everything=series in outdated)
        except ValueError as error:  # raised below: one series' figures must not stop the others
            error.add_note(f"instrument {series.instrument_id} {series.timeframe}")
            errors.append(error)
            continue
        counts, consumed = counts.plus(done), consumed + changes
    if errors:
        for other in errors[1:]:
            errors[0].add_note(f"and {other!r}, {', '.join(other.__notes__)}")
        raise errors[0]
    # Last, when every series has it: a run that dies before does the rest again.
    acknowledge(connection, CONSUMER, sentiment)
    instruments = len({series.instrument_id for series in due})
    return FeatureRun(instruments, counts.new, counts.changed, counts.unchanged, consumed + len(sentiment))


def _bring_up(
    connection: Connection, series: Series, sentiment: Sequence[Change], recorded_at: datetime, *, everything: bool
) -> tuple[UpsertCounts, int]:
    """Bring one series up to date in a transaction of its own; answers its rows and how many changes were consumed."""
    with connection.transaction():
        # Rows and receipts are lost together where the server dies at once, and the next run makes them again.
        connection.execute("set local synchronous_commit to off")
        # Pending changes are read again under the lock: a run beside this one may have dealt with them.
        lock(connection, f"feature {series.instrument_id} {series.timeframe}")
        changes = [c for c in pending_changes(connection, CONSUMER) if (c.instrument_id, c.timeframe) == series]
        rows = _affected(connection, series, changes, sentiment, everything=everything)
        counts = _recompute(connection, series, rows, recorded_at)
        values = {**series._asdict(), "sha256": definition_sha256(), "recorded_at": recorded_at}
        connection.execute(statement("features/upsert_definition.sql"), values)
        acknowledge(connection, CONSUMER, changes)
    return counts, len(changes)


def _series(connection: Connection, query: str, sha256: str | None = None) -> list[Series]:
    return [Series(*row) for row in connection.execute(statement(query), {"sha256": sha256})]


def _affected(
    connection: Connection, series: Series, changes: Sequence[Change], sentiment: Sequence[Change], *, everything: bool
) -> list[BarRange]:
    """Rows of a series to compute again, within the candles there are."""
    extent = connection.execute(statement("features/select_extent.sql"), series._asdict()).fetchone()
    if extent is None or extent[0] is None:
        return []
    timeframe = series.timeframe
    history = BarRange(bar_number(extent[0], timeframe), bar_number(extent[1], timeframe) + 1)
    if extent[2] is not None:
        # Rows whose candles were dropped after archival keep their values: there is nothing to compute them from.
        first = bar_number(extent[2], timeframe) + whole_memory_bars(timeframe)
        history = BarRange(max(first, history.start), history.end)
    if everything:
        return merge([history])
    ranges = [reach(BarRange(bar_number(c.start, timeframe), bar_number(c.end, timeframe)), timeframe) for c in changes]
    for change in sentiment:
        # A day's value is in means of up to 30 days, and those are carried on while no newer value comes.
        until = change.end + timedelta(days=max(MEAN_DAYS) + FEAR_GREED_STALE_DAYS)
        first = bar_number(change.start - step(timeframe), timeframe)
        ranges.append(BarRange(first, bar_number(until, timeframe)))
    return merge([BarRange(max(r.start, history.start), min(r.end, history.end)) for r in ranges])


def _recompute(connection: Connection, series: Series, rows: Sequence[BarRange], recorded_at: datetime) -> UpsertCounts:
    """Compute and store the rows of a series in `rows`. Needs an open transaction that holds the series' lock."""
    counts = UpsertCounts()
    for whole in rows:
        for piece in pieces(whole, BLOCKS_AT_ONCE):
            candles, index = _candles(connection, series, piece), _index(connection, series, piece)
            features = feature_columns(candles, index, series.timeframe, first_bar=piece.start)
            counts = counts.plus(_store(connection, series, features, recorded_at))
    return counts


def _candles(connection: Connection, series: Series, rows: BarRange) -> Columns:
    """The candles that rows are computed from."""
    start = block_start(rows.start) - lookback_bars(series.timeframe)
    values = {
        **series._asdict(),
        "step_seconds": SECONDS[series.timeframe],
        "starts_at": opening(start, series.timeframe),
        "ends_at": opening(rows.end, series.timeframe),
    }
    return read_floats(connection, "features/select_candles.sql", values, CANDLE_COLUMNS)


def _index(connection: Connection, series: Series, rows: BarRange) -> Columns:
    """The days of Fear & Greed that rows can have known, or have in a mean. Read under the lock, like the candles."""
    seen = timedelta(days=max(MEAN_DAYS) + FEAR_GREED_STALE_DAYS + 1)
    values = {"first_day": (opening(rows.start, series.timeframe) - seen).date()}
    return read_floats(connection, "features/select_fear_greed.sql", values, INDEX_COLUMNS)


def _store(
    connection: Connection, series: Series, features: Mapping[str, npt.NDArray[Any]], recorded_at: datetime
) -> UpsertCounts:
    bars = features["bar"]
    if len(bars) == 0:
        return UpsertCounts()
    columns = ["opened_at", *NAMES]
    names = {"staging": "feature_staging", "target": "features.candle_feature", "columns": columns}
    connection.execute(statement("upsert/create_staging.sql", **names))
    copy_in = statement("features/copy_in.sql", columns=columns)
    with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        for piece in binary_rows(features, series.timeframe):
            copy.write(piece)
    values = {
        **series._asdict(),
        "recorded_at": recorded_at,
        "first_opened_at": opening(int(bars[0]), series.timeframe),
        "last_opened_at": opening(int(bars[-1]), series.timeframe),
    }
    upsert = statement("features/upsert_feature.sql", columns=NAMES)
    written = connection.execute(upsert, values, prepare=True).fetchone()
    new, changed = written or (0, 0)
    return UpsertCounts(new, changed, len(bars) - new - changed)
