"""The connection a gate keeps to itself: autocommit, quick to commit, quick to notice that the other end is gone."""

from __future__ import annotations

from psycopg.conninfo import make_conninfo

from include.warehouse.connection import Connection, connect

# - A commit does not wait for the disk: a crash of the server forgets the last half second of grants, which the slack
#   of the buckets covers.
# - Whoever has the turn and freezes, or whose machine disappears, loses it: an idle session is ended, a silent one soon
#   noticed. A gate that was idle for so long opens another connection.
_SETTINGS = {
    "synchronous_commit": "off",
    "idle_session_timeout": "60s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
CONNECT_SECONDS = 5


def open_session(dsn: str, patience_seconds: float) -> Connection:
    """A connection for a gate whose requests wait up to `patience_seconds` for their turn.

    dsn: libpq connection string or URL of the warehouse, as warehouse_writer. Raises psycopg.OperationalError where the
    database does not answer.
    """
    connection = connect(make_conninfo(dsn, connect_timeout=CONNECT_SECONDS))
    settings = {
        **_SETTINGS,
        "lock_timeout": f"{patience_seconds * 1000:.0f}",
        "statement_timeout": f"{(patience_seconds + 10) * 1000:.0f}",
    }
    connection.execute(
        "select set_config(s.name, s.value, false) from unnest(%s::text[], %s::text[]) as s (name, value)",
        (list(settings), list(settings.values())),
    )
    return connection
