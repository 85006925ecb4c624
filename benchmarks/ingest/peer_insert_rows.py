"""The same candles by the Postgres provider: `insert_rows(replace=True)`, rows as tuples of exact decimals.

`python -m benchmarks.ingest.peer_insert_rows --dsn DSN --rows N`. At its best: commit_every 10,000 is faster than its
default 1,000, and the table is a bare one, since it pays for the checks of market.candle anew with every row.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from benchmarks.ingest.candles import walk
from benchmarks.ingest.upserts import KNOWN, MARKET
from include.candles.model import Candle
from include.warehouse.connection import connect
from include.warehouse.instruments import ensure_instrument


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--rows", type=int, required=True)
    asked = parser.parse_args()
    with connect(asked.dsn) as connection:
        instrument_id = ensure_instrument(connection, MARKET)
    part = conninfo_to_dict(asked.dsn)
    os.environ["AIRFLOW_CONN_BENCHMARK"] = json.dumps(
        {
            "conn_type": "postgres",
            "host": part["host"],
            "port": int(str(part["port"])),
            "schema": part["dbname"],
            "login": part["user"],
            "password": part["password"],
        }
    )
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    logging.disable(logging.INFO)
    key = ["instrument_id", "timeframe", "opened_at"]
    rows = [(instrument_id, "1m", *candle, KNOWN, "benchmark") for candle in walk(asked.rows)]
    fields = ["instrument_id", "timeframe", *Candle._fields, "recorded_at", "source"]
    hook: Any = PostgresHook("benchmark")
    began = time.perf_counter()
    hook.insert_rows("public.bare_candle", rows, fields, commit_every=10_000, replace=True, replace_index=key)
    print(json.dumps({"rows": asked.rows, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
