"""Closed months as verified Parquet files, out of the tables only once that is proven, and back as they were.

`timeframe` says what a month is a month of: candles of that timeframe, or with None the instrument's tickers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import psycopg

from include.warehouse import tickers
from include.warehouse.archive_file import (
    CANDLE,
    SCHEMA_VERSION,
    TICKER,
    ArchivedRow,
    ArchiveError,
    Dataset,
    content_sha256,
    dataset_of,
    decode,
    encode,
    first_difference,
    sha256,
)
from include.warehouse.archive_manifest import Manifest, demand_ours, flaw, manifest_of, proven_rows, write_beside
from include.warehouse.archive_series import ticker_months
from include.warehouse.archive_store import StorePath, make_folder, put, read_bytes, write_bytes
from include.warehouse.candles import VALUE_COLUMNS
from include.warehouse.connection import Connection, held_lock, lock
from include.warehouse.months import month_span
from include.warehouse.sql import statement
from include.warehouse.staging import stage

ATTEMPTS = 3  # to write a month that is being changed meanwhile


class MonthNotClosedError(ArchiveError):
    """The month has not ended yet."""


class NothingToArchiveError(ArchiveError):
    """The table holds no row of the month."""


def archive_month(
    connection: Connection, store: StorePath, instrument_id: int, timeframe: str | None, month: date, now: datetime
) -> Manifest:
    """Write a closed month to Parquet, read it back, compare it row by row with the table, and note its manifest.

    Who writes to the series waits only for the comparison, not for the file. A month whose file is in place with the
    table's present content is left as it is. month: its first day (UTC).
    Raises MonthNotClosedError, NothingToArchiveError, and ArchiveError where the file cannot be written, what was read
    back differs, another's file lies in its place, or the month left the table and has come back with other content:
    restore it first, then nothing is lost.
    """
    if now < month_span(month)[1]:
        raise MonthNotClosedError(f"{month:%Y-%m} is not closed at {now:%Y-%m-%d %H:%M} UTC")
    dataset = dataset_of(timeframe)
    venue, symbol = _names(connection, instrument_id)
    folder = _folder(dataset, venue, symbol, timeframe, month)
    about = {"venue": venue, "symbol": symbol, "timeframe": timeframe or "", "month": f"{month:%Y-%m}"}
    with _alone(connection, instrument_id, timeframe, month):
        for _ in range(ATTEMPTS):
            rows = _rows(connection, instrument_id, timeframe, month)
            if not rows:
                raise NothingToArchiveError(f"no {dataset.noun} of instrument {instrument_id} in {month:%Y-%m}")
            content = content_sha256(rows, dataset)
            known = manifest_of(connection, instrument_id, timeframe, month)
            if known and known.content_sha256 == content and flaw(store, known) is None:
                return known
            if known and known.dropped_at and known.content_sha256 != content:
                raise ArchiveError(
                    f"{known.path} left the table and has come back with other content; restore it first"
                )
            place: StorePath = store.joinpath(*folder.split("/"))
            demand_ours(place.joinpath(dataset.file_name), dataset, known, content)
            temporary, file_sha256 = _write_read_back(place, rows, about, dataset)
            manifest = Manifest(
                instrument_id, timeframe, month, f"{folder}/{dataset.file_name}", len(rows), rows[0][0], rows[-1][0],
                file_sha256, content, now, None, SCHEMA_VERSION, f"{venue}:{symbol}",
            )  # fmt: skip
            with connection.transaction():
                _lock_series(connection, instrument_id, timeframe)
                if _rows(connection, instrument_id, timeframe, month) == rows:
                    put(temporary, place.joinpath(dataset.file_name), place)
                    connection.execute(statement(f"archive/{dataset.name}/upsert_manifest.sql"), manifest._asdict())
                    write_beside(store, manifest)
                    return manifest
    raise ArchiveError(f"{folder}: the table changed {ATTEMPTS} times while the file was written; try again")


def drop_archived_month(
    connection: Connection, store: StorePath, instrument_id: int, timeframe: str, month: date, now: datetime
) -> int:
    """Delete a month of candles after its file has been verified again; answers how many left the table.

    Raises ArchiveError, and deletes nothing, where there is no manifest, the file is gone or damaged, or any candle
    of the table is not in it exactly.
    """
    with _alone(connection, instrument_id, timeframe, month), connection.transaction():
        _lock_series(connection, instrument_id, timeframe)
        rows = _rows(connection, instrument_id, timeframe, month)
        stored = proven_rows(connection, store, instrument_id, timeframe, month)
        if not rows:
            return 0
        _demand_equal(stored, rows, CANDLE, month)
        values = _values(instrument_id, timeframe, month)
        deleted = connection.execute(statement("archive/candle/delete_month.sql"), values).rowcount
        connection.execute(statement("archive/candle/mark_dropped.sql"), {**values, "dropped_at": now})
    return deleted


def drop_ticker_month(connection: Connection, store: StorePath, month: date, now: datetime) -> int:
    """Drop a month's partition of tickers after every file of it has been verified again; answers how many left.

    Writers of that month wait meanwhile, those of other months do not. The database compares once more by itself.
    Raises ArchiveError, and drops nothing, where any ticker is not in a verified file exactly, or where the table is
    in use for so long that nobody should wait behind this.
    """
    partition = f"{tickers.TABLE}_{month:%Y_%m}"
    try:
        with connection.transaction():
            if connection.execute("select to_regclass(%s)", (partition,)).fetchone() == (None,):
                return 0
            connection.execute(statement("archive/ticker/lock_month.sql", partition=partition))
            held = [each for each in ticker_months(connection, month_span(month)[1]) if each.month == month]
            for series in held:
                stored = proven_rows(connection, store, series.instrument_id, None, month)
                _demand_equal(stored, _rows(connection, series.instrument_id, None, month), TICKER, month)
            values = {"month": month, "dropped_at": now}
            dropped = connection.execute(statement("archive/drop_ticker_month.sql"), values).fetchone()
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise ArchiveError(f"tickers of {month:%Y-%m} stay for now, the table is in use; try again") from error
    except psycopg.errors.IntegrityConstraintViolation as error:
        raise ArchiveError(str(error.diag.message_primary)) from error
    return int(dropped[0]) if dropped else 0


def restore_month(
    connection: Connection, store: StorePath, instrument_id: int, timeframe: str | None, month: date, now: datetime
) -> int:
    """Put a month's archived rows back as they were, sources and knowledge times included; answers how many.

    Candles the table holds meanwhile stay; archived values that differ from them become revisions. Consumers of candles
    are told at `now` (UTC). Raises ArchiveError where there is no manifest, the file is gone or damaged, or the table
    holds other tickers, which have no revisions.
    """
    dataset = dataset_of(timeframe)
    values = {**_values(instrument_id, timeframe, month), "dropped_at": None, "recorded_at": now}
    with _alone(connection, instrument_id, timeframe, month), connection.transaction():
        _lock_series(connection, instrument_id, timeframe)
        stored = proven_rows(connection, store, instrument_id, timeframe, month)
        stage(connection, f"{dataset.name}_restore_staging", f"market.{dataset.name}", dataset.columns, stored)
        if dataset is CANDLE:
            count = _scalar(connection, "archive/candle/restore_month.sql", VALUE_COLUMNS, values)
            if count:
                connection.execute(statement("archive/candle/insert_change.sql"), values)
        else:
            tickers.add_months(connection, [month])
            count = _scalar(connection, "archive/ticker/restore_month.sql", dataset.columns, values)
        connection.execute(statement(f"archive/{dataset.name}/mark_dropped.sql"), values)
    return count


def _scalar(connection: Connection, name: str, columns: tuple[str, ...], values: dict[str, object]) -> int:
    """How many rows a statement of restoring put back. Raises ArchiveError for rows the table holds otherwise."""
    restored, *differing = connection.execute(statement(name, columns=columns), values).fetchone() or (0,)
    if any(differing):
        raise ArchiveError(f"the table holds {differing[0]} of these rows with other values; nothing was restored")
    return int(restored)


def _demand_equal(stored: list[ArchivedRow], rows: list[ArchivedRow], dataset: Dataset, month: date) -> None:
    difference = first_difference(stored, rows, dataset.content_width, dataset.noun)
    if difference:
        raise ArchiveError(f"{month:%Y-%m} stays in the table: {difference}")


@contextmanager
def _alone(connection: Connection, instrument_id: int, timeframe: str | None, month: date) -> Iterator[None]:
    """Two that work on the same month's file take turns; who writes to the table does not wait for them."""
    with held_lock(connection, f"archive {instrument_id} {timeframe} {month}"):
        yield


def _lock_series(connection: Connection, instrument_id: int, timeframe: str | None) -> None:
    """Hold the lock of whoever writes to the series until the transaction ends."""
    lock(connection, tickers.TABLE if timeframe is None else f"candle {instrument_id} {timeframe}")


def _values(instrument_id: int, timeframe: str | None, month: date) -> dict[str, object]:
    starts_at, ends_at = month_span(month)
    series = {"instrument_id": instrument_id, "timeframe": timeframe}
    return {**series, "month": month, "starts_at": starts_at, "ends_at": ends_at}


def _rows(connection: Connection, instrument_id: int, timeframe: str | None, month: date) -> list[ArchivedRow]:
    dataset = dataset_of(timeframe)
    query = statement(f"archive/{dataset.name}/select_month.sql", columns=dataset.columns)
    return connection.execute(query, _values(instrument_id, timeframe, month)).fetchall()


def _names(connection: Connection, instrument_id: int) -> tuple[str, str]:
    query = "select venue, symbol from market.instrument where instrument_id = %s"
    row = connection.execute(query, (instrument_id,)).fetchone()
    if row is None:
        raise ArchiveError(f"there is no instrument {instrument_id}")
    return str(row[0]), str(row[1])


def _folder(dataset: Dataset, venue: str, symbol: str, timeframe: str | None, month: date) -> str:
    series = f"venue={venue}/symbol={symbol.replace('/', '-')}"
    return "/".join(
        filter(None, (dataset.name, series, timeframe and f"timeframe={timeframe}", f"month={month:%Y-%m}"))
    )


def _write_read_back(
    folder: StorePath, rows: list[ArchivedRow], about: dict[str, str], dataset: Dataset
) -> tuple[StorePath, str]:
    """Write the file under a temporary name and read it back equal; its path and SHA-256."""
    make_folder(folder)
    temporary: StorePath = folder.joinpath(f"{dataset.file_name}.writing")
    write_bytes(temporary, encode(rows, about, dataset))
    written = read_bytes(temporary)
    difference = first_difference(decode(written, dataset), rows, len(dataset.columns), dataset.noun)
    if difference:
        temporary.unlink()
        raise ArchiveError(f"what was written to {temporary} does not read back the same: {difference}")
    return temporary, sha256(written)
