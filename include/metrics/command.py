"""The command line of the StatsD receiver, whose page shows the facts of the databases as well."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from include.metrics.births import births
from include.metrics.collector import FactsCollector
from include.metrics.emit import zeros
from include.metrics.fact_queries import FACTS_VARIABLES
from include.metrics.receiver.mapping import MappingError, load_mapping
from include.metrics.receiver.server import Receiver

DEFAULT_MAPPING = Path("deploy/statsd/mapping.yml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address both sockets bind (default %(default)s)")
    add("--statsd-port", type=int, default=8125, help="UDP port for StatsD (default %(default)s)")
    add("--http-port", type=int, default=9102, help="TCP port of /metrics and /health (default %(default)s)")
    add("--mapping", type=Path, default=DEFAULT_MAPPING, help="statsd_exporter mapping (default %(default)s)")
    add("--max-series", type=int, default=20_000, help="series kept at most (default %(default)s)")
    parser.epilog = (
        f"Environment: {', '.join(FACTS_VARIABLES.values())}, libpq connection strings of the role monitor;"
        " the facts of a database that is not named are not shown."
    )


def run(args: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> int:
    """Receive until SIGTERM or SIGINT. 0 then; 1 with one line of reason where it could not start or broke."""
    stop = threading.Event()
    dsns = {database: environ[name] for database, name in FACTS_VARIABLES.items() if environ.get(name)}
    for database, dsn in dsns.items():
        try:
            conninfo_to_dict(dsn)
        except psycopg.ProgrammingError:  # whose text quotes what may be a password
            print(f"statsd-receiver: {FACTS_VARIABLES[database]} is no libpq connection string", file=sys.stderr)
            return 1
    facts = FactsCollector(dsns, time.monotonic, lambda line: print(f"statsd-receiver: {line}", flush=True))
    try:
        receiver = Receiver(
            load_mapping(args.mapping),
            host=args.host,
            statsd_port=args.statsd_port,
            http_port=args.http_port,
            max_series=args.max_series,
            monotonic=time.monotonic,
            on_end=stop.set,
            more=facts.page,
        )
    except MappingError as error:
        print(f"statsd-receiver: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{args.mapping}, UDP port {args.statsd_port} and TCP port {args.http_port} of {args.host}"
        print(f"statsd-receiver: {error} (it needs {where}; options choose others)", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    receiver.feed(b"\n".join(zeros(births())))
    with receiver:
        print(
            f"statsd-receiver: udp {args.host}:{receiver.statsd_port} -> http://{args.host}:{receiver.http_port}/metrics",
            flush=True,
        )
        stop.wait()
    return 1 if receiver.failed else 0
