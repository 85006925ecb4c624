"""`python -m include.cli budgets`: what is left of each host's request budget, and which circuits are open."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg

from include.politeness.store import host_states, reset_circuit
from include.warehouse.connection import DSN_VARIABLE, UnnamedWarehouseError, connect, dsn_of_command

HEADINGS = ("source", "circuit", "limit", "left", "hour", "month", "note")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--dsn", help=f"connection string of the warehouse (default: ${DSN_VARIABLE})")
    parser.add_argument("--json", action="store_true", help="one JSON array of ops.host_state's rows")
    parser.add_argument(
        "--reset-circuit",
        metavar="SOURCE",
        help="first close this source's circuit and lift its block: for a cause that is gone (needs warehouse_writer)",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Print budgets and circuits; 0, or 1 with the reason on standard error."""
    try:
        with connect(dsn_of_command(options.dsn, environ)) as connection:
            if options.reset_circuit and not reset_circuit(connection, options.reset_circuit):
                print(f"nothing was ever asked of {options.reset_circuit!r}", file=sys.stderr)
                return 1
            rows = host_states(connection)
    except (UnnamedWarehouseError, psycopg.Error) as error:
        print(f"the budgets could not be read: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(rows, default=_plain, indent=2))
    else:
        print("\n".join(_table(rows)))
    return 0


def _table(rows: list[dict[str, Any]]) -> list[str]:
    """Aligned lines; `hour` and `month` are requests in the UTC hour and month, `left` is weight that may go now."""
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["source"],
        row["circuit"],
        f"{row['units']:g} in {row['window_seconds']} s",
        f"{row['tokens_left']:.1f}",
        str(row["requests_this_hour"]),
        str(row["requests_this_month"]),
        _note(row),
    )


def _note(row: dict[str, Any]) -> str:
    """Why nothing is sent, and until when (UTC)."""
    if row["retry_at"]:
        return f"{row['circuit_reason']}, next try {row['retry_at']:%Y-%m-%d %H:%M:%S}: {row['last_error']}"
    if row["blocked_for_seconds"]:
        return f"{row['blocked_reason']} until {row['blocked_until']:%Y-%m-%d %H:%M:%S}"
    return ""


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {value!r}")
