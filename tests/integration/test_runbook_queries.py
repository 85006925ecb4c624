"""Every query of a runbook runs in the warehouse as the role that `make sql` uses."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

from include.warehouse.connection import Connection

FOLDER = Path(__file__).parents[2] / "docs/runbooks"


def queries() -> dict[str, str]:
    """SQL of the runbooks, in fences and in lines, with the file that has it."""
    return {
        query: path.name
        for path in sorted(FOLDER.glob("*.md"))
        for pair in re.findall(r'"(select [^"]+)"|`(select [^`]+)`', path.read_text())
        for query in pair
        if query
    }


def test_every_query_runs(reader: Connection) -> None:
    assert len(queries()) >= 20
    failed = {}
    for query, name in queries().items():
        try:
            reader.execute(query.encode())
        except psycopg.Error as error:  # all that fail are named at once
            failed[f"{name}: {query}"] = str(error)
    assert failed == {}
