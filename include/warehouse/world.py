"""Which world a warehouse holds: live, recorded or synthetic data never share one."""

from __future__ import annotations

from include.warehouse.connection import Connection


class WorldMismatchError(RuntimeError):
    """Data of one world was about to be written into a warehouse of another."""


def world_of(connection: Connection) -> str | None:
    """The warehouse's world, or None before the first write."""
    row = connection.execute("select world from ops.world").fetchone()
    return str(row[0]) if row else None


def claim_world(connection: Connection, world: str) -> None:
    """Set the world on the first write; later only check it.

    Raises WorldMismatchError where the warehouse belongs to another, psycopg's CheckViolation for an unknown name.
    """
    held = world_of(connection)
    if held is None:
        # Two first writers: the second waits here for the first, inserts nothing and then reads its world.
        connection.execute("insert into ops.world (world) values (%s) on conflict do nothing", (world,))
        held = world_of(connection)
    if held != world:
        raise WorldMismatchError(f"this warehouse holds the {held} world; {world} data belongs into another database")
