"""A PostgreSQL cluster of the benchmark's own, with a migrated warehouse in it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import ROLES, WarehouseDsns, bootstrap
from include.warehouse.connection import Connection, connect
from include.warehouse.migrations import migrate

# As the embedded stack runs it, but that nothing cleans up or writes pages while a step is measured.
SETTINGS = "autovacuum = off\nmax_wal_size = '16GB'\ncheckpoint_timeout = '1h'\n"
# What a run writes; the budget's tables go on from run to run as they would.
WRITTEN = (
    "market.candle", "market.candle_revision", "market.attestation", "market.coverage", "market.quarantine",
    "ops.archive_file", "ops.change_range", "public.bare_candle",
)  # fmt: skip


# A table like market.candle without its checks and triggers, for those who would pay for them row by row.
BARE = """
create table public.bare_candle (like market.candle, primary key (instrument_id, timeframe, opened_at));
grant select, insert, update on public.bare_candle to warehouse_writer
"""


@contextmanager
def warehouse(folder: Path) -> Iterator[WarehouseDsns]:
    """DSNs of a fresh warehouse below `folder`, as long as the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cluster = PostgresCluster(folder / "data", port, secrets.token_urlsafe(12))
    cluster.initialise()
    with (folder / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write(SETTINGS)
    process = cluster.start(folder / "postgres.log")
    try:
        dsns = bootstrap(cluster.dsn(), "warehouse", {role: secrets.token_urlsafe(12) for role in ROLES})
        with connect(dsns.owner) as owner:
            migrate(owner)
            owner.execute(BARE)
        yield dsns
    finally:
        cluster.stop(process)


def forget(owner: Connection) -> None:
    """Empty the warehouse of candles."""
    existing = (
        "select to_regclass(t.name)::text from unnest(%s::text[]) as t (name) where to_regclass(t.name) is not null"
    )
    tables = [name for (name,) in owner.execute(existing, (list(WRITTEN),))]
    owner.execute(f"truncate {', '.join(tables)} cascade")
