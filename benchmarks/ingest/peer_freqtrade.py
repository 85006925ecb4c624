"""`freqtrade download-data` over REST, as its command does it. Runs in an environment of its own.

`python peer_freqtrade.py --url URL --folder FOLDER --days N` prints rows and the seconds of its download phase as JSON.
What it stores is a feather file of floats, five columns of them.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.data.history import history_utils  # type: ignore[import-not-found]
from freqtrade.main import main as freqtrade  # type: ignore[import-not-found]

FIRST = date(2023, 1, 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--days", type=int, required=True)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True)
    api = {"urls": {"api": {"public": f"{asked.url}/api/v3"}}, "options": {"fetchMarkets": {"types": ["spot"]}}}
    settings = {
        "exchange": {
            "name": "binance",
            "only_from_ccxt": True,
            "pair_whitelist": ["BTC/USDT"],
            "ccxt_config": api,
            "ccxt_async_config": api,
        },
        "stake_currency": "USDT",
        "dry_run": True,
    }
    (asked.folder / "config.json").write_text(json.dumps(settings))
    spent: list[float] = []
    phase = history_utils.refresh_backtest_ohlcv_data

    def timed(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return phase(*arguments, **named)
        finally:
            spent.append(time.perf_counter() - began)

    history_utils.refresh_backtest_ohlcv_data = timed
    last = FIRST + timedelta(days=asked.days)
    command = ["download-data", "--config", str(asked.folder / "config.json"), "--userdir", str(asked.folder)]
    command += ["--datadir", str(asked.folder / "data"), "--pairs", "BTC/USDT", "--timeframes", "1m"]
    command += ["--timerange", f"{FIRST:%Y%m%d}-{last:%Y%m%d}"]
    try:
        freqtrade(command)
    except SystemExit as ended:
        if ended.code:
            raise
    (file,) = (asked.folder / "data").rglob("BTC_USDT-1m.feather")
    print(json.dumps({"rows": len(pd.read_feather(file)), "seconds": sum(spent)}))


if __name__ == "__main__":
    main()
