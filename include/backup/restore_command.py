"""`restore-backup`: bring one database back from a dump."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from include.backup.command import REFUSALS, say
from include.backup.place import place
from include.backup.restore import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("file", type=Path, help="the .dump file; its .json lies beside it")
    parser.add_argument("--database", help="restore under this name instead of the backup's own")
    parser.add_argument("--replace", action="store_true", help="drop the database that is there for the backup's")


def run(options: argparse.Namespace) -> int:
    """0, or 1 with the reason on standard error; what was there is replaced in the last step or not at all."""
    path, began = options.file.absolute(), time.monotonic()
    try:
        with place(str(path.parent), say) as where:
            manifest = restore(where.administrator, path, database=options.database, replace=options.replace)
    except REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rows = sum(state.rows for state in manifest.tables.values())
    print(
        f"restored {options.database or manifest.database} as it was at {manifest.started_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{rows} rows in {len(manifest.tables)} tables, each compared, {time.monotonic() - began:.1f} s"
    )
    return 0
