"""`python -m include.cli report-metrics`: the README's figures of forecasts, from recorded data, as Markdown.

Exit status: 0 where they were printed, 2 where they could not be.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from include.config.markets import FORECAST_MARKETS
from include.forecasting.report_metrics import figures_of
from include.forecasting.report_metrics_table import NoBlockError, block, put_into
from include.forecasting.targets import FORECASTS
from include.forecasting.walkforward import NotEnoughHistoryError
from include.replay.errors import ReplayError

VARIABLE = "MARKET_DATA_DIR"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--data", type=Path, metavar="FOLDER", help=f"recorded data (default: ${VARIABLE})")
    parser.add_argument("--into", type=Path, metavar="FILE", help="replace the block of this file as well")
    parser.add_argument("--quick", action="store_true", help="one market only")
    parser.add_argument("--processes", type=int, default=2, help="how many kinds at once (default: 2)")


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Print the block, progress to stderr; the exit status (see above)."""
    folder = options.data or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if folder is None:
        print(f"the figures need recorded data: set {VARIABLE}, or --data FOLDER", file=sys.stderr)
        return 2
    markets = FORECAST_MARKETS[:1] if options.quick else FORECAST_MARKETS
    wanted = [(market, kind) for kind in FORECASTS for market in markets]
    try:
        if options.into:
            put_into(options.into.read_text(encoding="utf-8"), "")  # before the minutes of work
        with ProcessPoolExecutor(options.processes) as pool:
            begun = {pool.submit(figures_of, folder, *each): each for each in wanted}
            for done in as_completed(begun):
                market, kind = begun[done]
                print(f"{market.symbol} {kind}: {done.result().decision.reason}", file=sys.stderr, flush=True)
        found = {begun[done]: done.result() for done in begun}
    except (ReplayError, NotEnoughHistoryError, NoBlockError, OSError) as error:
        print(f"no figures: {error}", file=sys.stderr)
        return 2
    figures = block([found[each] for each in wanted])
    print(figures)
    if options.into:
        text = options.into.read_text(encoding="utf-8")
        options.into.write_text(put_into(text, figures), encoding="utf-8")
    return 0
