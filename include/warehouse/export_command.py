"""`python -m include.cli export VIEW…`: public views as CSV files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import psycopg

from include.clock import Clock, clock_from_environment
from include.warehouse.archive_file import ArchiveError
from include.warehouse.archive_store import URI_VARIABLE, store_of_command
from include.warehouse.connection import DSN_VARIABLE, UnnamedWarehouseError, connect, dsn_of_command
from include.warehouse.export import export_view
from include.warehouse.views import VIEWS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "view", nargs="+", choices=list(VIEWS), help=f"one or more of {', '.join(VIEWS)}", metavar="VIEW"
    )
    parser.add_argument("--from", dest="start", type=_time, metavar="TIME", help="first time (UTC, ISO 8601)")
    parser.add_argument("--to", dest="end", type=_time, metavar="TIME", help="times before this one")
    parser.add_argument("--out", help=f"folder or URI to write export/ into (default: ${URI_VARIABLE})")
    parser.add_argument("--dsn", help=f"the warehouse (default: the environment's {DSN_VARIABLE})")


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ, clock: Clock | None = None) -> int:
    """Write the files; 0, or 1 with the reason on standard error."""
    try:
        store = store_of_command(options.out, environ)
        now = (clock or clock_from_environment(environ)).now()
        with connect(dsn_of_command(options.dsn, environ)) as connection:
            for view in options.view:
                print(export_view(connection, store, view, now, start=options.start, end=options.end))
    except (UnnamedWarehouseError, ArchiveError, psycopg.Error, OSError) as error:
        print(str(error).strip(), file=sys.stderr)
        return 1
    return 0


def _time(text: str) -> datetime:
    """A time of the command line; without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
