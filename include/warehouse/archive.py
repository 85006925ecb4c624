"""Closed months of candles as verified Parquet files, and out of the table only once that is proven."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import NamedTuple

from include.warehouse.archive_file import (
    COLUMNS,
    CONTENT_WIDTH,
    ArchivedRow,
    StorePath,
    content_sha256,
    decode,
    encode,
    first_difference,
    read_bytes,
    sha256,
    write_bytes,
)
from include.warehouse.candles import VALUE_COLUMNS
from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement
from include.warehouse.staging import stage


class ArchiveError(RuntimeError):
    """The archive cannot be trusted or made as asked; the message says why. The table is as it was."""


class MonthNotClosedError(ArchiveError):
    """The month has not ended yet."""


class NothingToArchiveError(ArchiveError):
    """The table holds no candle of the month."""


class Manifest(NamedTuple):
    """One archived month. path: within the store. dropped_at: since when only the archive holds it, else None."""

    instrument_id: int
    timeframe: str
    month: date
    path: str
    row_count: int
    first_opened_at: datetime
    last_opened_at: datetime
    file_sha256: str
    content_sha256: str
    archived_at: datetime
    dropped_at: datetime | None = None


class SeriesMonth(NamedTuple):
    """A month (its first day) of one series that holds candles."""

    instrument_id: int
    venue: str
    symbol: str
    timeframe: str
    month: date
    row_count: int


def month_span(month: date) -> tuple[datetime, datetime]:
    """The month's half-open window (UTC). Raises ValueError for a day other than the first."""
    if month.day != 1:
        raise ValueError(f"a month is named by its first day, not {month}")
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return datetime(month.year, month.month, 1, tzinfo=UTC), datetime(following.year, following.month, 1, tzinfo=UTC)


def months_ended(start: datetime, end: datetime) -> list[date]:
    """First days of the months (UTC) whose last candle closes within (start, end], oldest first."""
    month, found = start.astimezone(UTC).date().replace(day=1), []
    while (until := month_span(month)[1]) <= end:
        if until > start:
            found.append(month)
        month = until.date()
    return found


def series_months(connection: Connection, start: datetime, end: datetime) -> list[SeriesMonth]:
    """Months lying wholly in [start, end) (UTC) and the series with candles in them, oldest month first."""
    rows = connection.execute(statement("archive/select_series_months.sql"), {"starts_at": start, "ends_at": end})
    return [SeriesMonth(*row) for row in rows]


def archive_month(
    connection: Connection, store: StorePath, instrument_id: int, timeframe: str, month: date, now: datetime
) -> Manifest:
    """Write a closed month to Parquet, read it back, compare it row by row with the table, and note its manifest.

    A month whose file is in place with the table's present content is left as it is. month: its first day (UTC).
    Raises MonthNotClosedError, NothingToArchiveError, and ArchiveError where what was read back differs or where the
    month left the table and has come back with other content: restore it first, then nothing is lost.
    """
    if now < month_span(month)[1]:
        raise MonthNotClosedError(f"{month:%Y-%m} is not closed at {now:%Y-%m-%d %H:%M} UTC")
    with connection.transaction():
        rows = _locked_rows(connection, instrument_id, timeframe, month)
        if not rows:
            raise NothingToArchiveError(f"no candles of instrument {instrument_id} {timeframe} in {month:%Y-%m}")
        known = manifest_of(connection, instrument_id, timeframe, month)
        content = content_sha256(rows)
        if known and known.content_sha256 == content and _is_intact(store, known):
            return known
        if known and known.dropped_at and known.content_sha256 != content:
            raise ArchiveError(f"{known.path} left the table and has come back with other content; restore it first")
        venue, symbol = _names(connection, instrument_id)
        about = {"venue": venue, "symbol": symbol, "timeframe": timeframe, "month": f"{month:%Y-%m}"}
        path = f"candle/venue={venue}/symbol={symbol.replace('/', '-')}/timeframe={timeframe}/month={month:%Y-%m}"
        file_sha256 = _write_verified(store.joinpath(*path.split("/")), rows, about)
        manifest = Manifest(
            instrument_id, timeframe, month, f"{path}/candles.parquet", len(rows), rows[0][0], rows[-1][0],
            file_sha256, content, now,
        )  # fmt: skip
        connection.execute(statement("archive/upsert_manifest.sql"), manifest._asdict())
        beside = {**about, **manifest._asdict(), "columns": COLUMNS}
        write_bytes(
            store.joinpath(*path.split("/"), "manifest.json"), json.dumps(beside, default=str, indent=2).encode()
        )
    return manifest


def drop_archived_month(
    connection: Connection, store: StorePath, instrument_id: int, timeframe: str, month: date, now: datetime
) -> int:
    """Delete a month from the table after its file has been verified again; answers how many candles left.

    Raises ArchiveError, and deletes nothing, where there is no manifest, the file is gone or damaged, or any candle
    of the table is not in it exactly.
    """
    with connection.transaction():
        rows = _locked_rows(connection, instrument_id, timeframe, month)
        stored = _verified(connection, store, instrument_id, timeframe, month)
        if not rows:
            return 0
        difference = first_difference(stored, rows, CONTENT_WIDTH)
        if difference:
            raise ArchiveError(f"{month:%Y-%m} stays in the table: {difference}")
        values = {"instrument_id": instrument_id, "timeframe": timeframe, "month": month}
        deleted = connection.execute(statement("archive/delete_month.sql"), {**values, **_window(month)}).rowcount
        connection.execute(statement("archive/mark_dropped.sql"), {**values, "dropped_at": now})
    return deleted


def restore_month(
    connection: Connection, store: StorePath, instrument_id: int, timeframe: str, month: date, now: datetime
) -> int:
    """Put a month's archived candles back as they were, sources and knowledge times included; answers how many.

    Candles the table holds meanwhile stay; archived values that differ from them become revisions. Consumers are told
    at `now` (UTC).
    Raises ArchiveError where there is no manifest, or the file is gone or damaged.
    """
    with connection.transaction():
        lock(connection, f"candle {instrument_id} {timeframe}")
        stored = _verified(connection, store, instrument_id, timeframe, month)
        stage(connection, "candle_restore_staging", "market.candle", COLUMNS, stored)
        values = {"instrument_id": instrument_id, "timeframe": timeframe, "month": month, "dropped_at": None}
        restored = connection.execute(statement("archive/restore_month.sql", columns=VALUE_COLUMNS), values).fetchone()
        connection.execute(statement("archive/mark_dropped.sql"), values)
        count = int(restored[0]) if restored else 0
        if count:
            starts_at, ends_at = month_span(month)
            change = {**values, "starts_at": starts_at, "ends_at": ends_at, "recorded_at": now}
            connection.execute(statement("archive/insert_change.sql"), change)
    return count


def manifest_of(connection: Connection, instrument_id: int, timeframe: str, month: date) -> Manifest | None:
    """The month's manifest, or None where it was never archived."""
    values = {"instrument_id": instrument_id, "timeframe": timeframe, "month": month}
    row = connection.execute(statement("archive/select_manifest.sql"), values).fetchone()
    return Manifest(*row) if row else None


def _window(month: date) -> dict[str, datetime]:
    starts_at, ends_at = month_span(month)
    return {"starts_at": starts_at, "ends_at": ends_at}


def _locked_rows(connection: Connection, instrument_id: int, timeframe: str, month: date) -> list[ArchivedRow]:
    lock(connection, f"candle {instrument_id} {timeframe}")
    values = {"instrument_id": instrument_id, "timeframe": timeframe, **_window(month)}
    return connection.execute(statement("archive/select_month.sql", columns=COLUMNS), values).fetchall()


def _names(connection: Connection, instrument_id: int) -> tuple[str, str]:
    query = "select venue, symbol from market.instrument where instrument_id = %s"
    row = connection.execute(query, (instrument_id,)).fetchone()
    if row is None:
        raise ArchiveError(f"there is no instrument {instrument_id}")
    return str(row[0]), str(row[1])


def _is_intact(store: StorePath, manifest: Manifest) -> bool:
    file = store.joinpath(*manifest.path.split("/"))
    return bool(file.exists()) and sha256(read_bytes(file)) == manifest.file_sha256


def _write_verified(folder: StorePath, rows: list[ArchivedRow], about: dict[str, str]) -> str:
    """Write candles.parquet under a temporary name, give it its own once read back equal; its SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    writing = folder.joinpath("candles.parquet.writing")
    write_bytes(writing, encode(rows, about))
    written = read_bytes(writing)
    difference = first_difference(decode(written), rows, len(COLUMNS))
    if difference:
        raise ArchiveError(f"what was written to {writing} does not read back the same: {difference}")
    writing.rename(folder.joinpath("candles.parquet"))
    return sha256(written)


def _verified(
    connection: Connection, store: StorePath, instrument_id: int, timeframe: str, month: date
) -> list[ArchivedRow]:
    manifest = manifest_of(connection, instrument_id, timeframe, month)
    if manifest is None:
        raise ArchiveError(f"{month:%Y-%m} of instrument {instrument_id} {timeframe} has not been archived")
    if not _is_intact(store, manifest):
        raise ArchiveError(f"{manifest.path} is missing or is not the file that was archived")
    stored = decode(read_bytes(store.joinpath(*manifest.path.split("/"))))
    if content_sha256(stored) != manifest.content_sha256:
        raise ArchiveError(f"{manifest.path} does not hold the content its manifest promises")
    return stored
