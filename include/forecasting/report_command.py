"""`python -m include.cli report`: forecasts, their calibration and the scoreboard as one HTML page.

Exit status: 0 where the page was written, 2 where it could not be.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg

from include.clock import Clock, clock_from_environment
from include.forecasting.report_page import report_page
from include.warehouse.connection import DSN_VARIABLE, UnnamedWarehouseError, connect, dsn_of_command

DEFAULT = "report.html"  # in the folder that the embedded stack writes to


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"the page (default: var/{DEFAULT})")
    parser.add_argument("--dsn", help=f"the warehouse (default: ${DSN_VARIABLE})")


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ, clock: Clock | None = None) -> int:
    """Write the page and say where it is; the exit status (see above)."""
    out = options.out or Path(environ.get("STACK_VAR") or "var") / DEFAULT
    try:
        now = (clock or clock_from_environment(environ)).now()
        with connect(dsn_of_command(options.dsn, environ)) as connection:
            page = report_page(connection, now)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except (UnnamedWarehouseError, psycopg.Error, OSError) as error:
        print(f"the report could not be made: {str(error).strip()}", file=sys.stderr)
        return 2
    print(f"{out.absolute()}: {len(page):,} bytes; open it in a browser")
    return 0
