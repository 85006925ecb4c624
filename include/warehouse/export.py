"""Public views as CSV files, streamed by COPY: what a spreadsheet opens, with rows and SHA-256 beside it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg import sql

from include.warehouse.archive_file import ArchiveError
from include.warehouse.archive_store import StorePath, make_folder, put, write_bytes, writing
from include.warehouse.connection import Connection
from include.warehouse.sql import statement
from include.warehouse.views import VIEWS
from include.warehouse.world import world_of

FOLDER = "export"  # within the archive's store


class Export(NamedTuple):
    """One file. path: within the store. start, end: of the half-open window (UTC), None for no bound."""

    view: str
    path: str
    rows: int
    sha256: str
    start: datetime | None
    end: datetime | None
    world: str | None
    exported_at: datetime

    def __str__(self) -> str:
        return f"{self.view}: {self.rows:,} rows in {self.path}, SHA-256 {self.sha256}"


def export_view(
    connection: Connection,
    store: StorePath,
    view: str,
    now: datetime,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Export:
    """Write the rows of a view whose time lies in [start, end) to a CSV file; one of that window is replaced.

    Memory does not grow with the rows. Times are ISO 8601 in UTC, decimals exact, NULL is empty.
    Raises ArchiveError for a view that is not offered, and where the file cannot be written.
    """
    if view not in VIEWS:
        raise ArchiveError(f"{view!r} is not exported; there are {', '.join(VIEWS)}")
    folder: StorePath = store.joinpath(FOLDER)
    make_folder(folder)
    name = "_".join([view, *(f"{bound:%Y%m%dT%H%M}" if bound else "open" for bound in (start, end) if start or end)])
    temporary: StorePath = folder.joinpath(f"{name}.csv.writing")
    digest = hashlib.sha256()
    values = {"starts_at": start, "ends_at": end}
    query = sql.SQL("copy ({}) to stdout with (format csv, header)").format(sql.SQL(_query(connection, view)))
    with writing(temporary) as file, connection.cursor() as cursor:
        with cursor.copy(query, values) as copy:
            for piece in copy:
                digest.update(piece)
                file.write(piece)
        rows = cursor.rowcount
    put(temporary, folder.joinpath(f"{name}.csv"), folder)
    exported = Export(
        view, f"{FOLDER}/{name}.csv", rows, digest.hexdigest(), start, end, world_of(connection), now.astimezone(UTC)
    )
    write_bytes(folder.joinpath(f"{name}.json"), json.dumps(exported._asdict(), default=str, indent=2).encode())
    return exported


def _query(connection: Connection, view: str) -> str:
    found = connection.execute(statement("export/select_columns.sql"), {"view": view}).fetchall()
    columns = [{"name": name, "is_time": is_time} for name, is_time in found]
    keys = list(VIEWS[view])
    return statement("export/select_view.sql", view=view, time_column=keys[-1], keys=keys, columns=columns)
