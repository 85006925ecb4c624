"""`python -m include.cli verify-forecasts`: is every forecast what was sealed, every score what it comes to?

Exit status: 0 where everything is as it was sealed, 1 where anything is not, 2 where the question could not be
answered.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from include.forecasting.verify import Verification
from include.forecasting.verify_chain import Finding
from include.forecasting.verify_heads import UnreadableHeadsError, describe, parse
from include.warehouse.connection import DSN_VARIABLE, UnnamedWarehouseError, connect, dsn_of_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--heads",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="what --json printed at an earlier time; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object: findings, and the heads to note")
    parser.add_argument("--dsn", help=f"the warehouse (default: ${DSN_VARIABLE})")
    parser.epilog = "Exit status: 0 everything is as it was sealed, 1 something is not, 2 no answer."


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Verify and print; see the parser's epilogue for the status."""
    try:
        noted = [parse(file.read_text(encoding="utf-8")) for file in options.heads]
        verification = Verification(noted)
        with connect(dsn_of_command(options.dsn, environ)) as connection:
            found = _print(verification, connection, as_json=options.json)
    except (UnnamedWarehouseError, UnreadableHeadsError, psycopg.Error, OSError) as error:
        print(f"the forecasts could not be verified: {str(error).strip()}", file=sys.stderr)
        return 2
    return 1 if found else 0


def _print(verification: Verification, connection: psycopg.Connection[Any], *, as_json: bool) -> int:
    """Print findings as they come, or all in one JSON object; how many there were."""
    if as_json:
        findings = [_as_json(finding) for finding in verification.findings(connection)]
        print(json.dumps(_summary(verification) | {"findings": findings}, indent=2))
        return len(findings)
    found = 0
    for finding in verification.findings(connection):
        found += 1
        print(line(finding), flush=True)
    for series, head in verification.heads.items():
        print(f"head {series}: row {head.position} {head.row_sha256}")
    scores = verification.scores
    print(
        f"{verification.rows} forecasts in {len(verification.heads)} chains, {scores.scores} scores "
        f"({scores.without_candle} whose candle is archived, {scores.outdated} to be renewed): "
        + (f"{found} FINDINGS" if found else "all as sealed")
    )
    return found


def line(finding: Finding) -> str:
    """A finding for people, on one line."""
    cells: list[str] = [finding.kind]
    if finding.series:
        cells.append(str(finding.series))
    if finding.position is not None:
        cells.append(f"row {finding.position}")
    if finding.target_at:
        cells.append(f"target {_shown(finding.target_at)}")
    if finding.made_at:
        cells.append(f"made {_shown(finding.made_at)}")
    if finding.forecast_id is not None:
        cells.append(f"(forecast_id {finding.forecast_id})")
    return f"{' '.join(cells)}: {finding.detail}"


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _as_json(finding: Finding) -> dict[str, Any]:
    times = {
        name: at and at.isoformat() for name, at in (("target_at", finding.target_at), ("made_at", finding.made_at))
    }
    return asdict(finding) | {"series": finding.series and finding.series._asdict()} | times


def _summary(verification: Verification) -> dict[str, Any]:
    scores = verification.scores
    return {
        "noted_at": verification.noted_at and verification.noted_at.isoformat(),
        "world": verification.world,
        "forecasts": verification.rows,
        "scores": scores.scores,
        "scores_without_candle": scores.without_candle,
        "scores_outdated": scores.outdated,
        "heads": describe(verification.heads),
    }
