"""The facts for sql_exporter; `python -m include.metrics.sql_exporter` writes the committed configuration.

It serves each value under the query's name, with the metric in the label `col`: deploy/prometheus/prometheus.yml gives
it the name and the labels it has on the receiver's page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from include.metrics.fact_queries import COLLECTED, DATABASES, QUERIES
from include.warehouse.sql import statement

TARGET = Path(__file__).parents[2] / "deploy/sql_exporter/config.yml"
INTERVAL = "15s"
# Who, where and with which password: PGHOST, PGPORT, PGUSER, PGPASSWORD and PGSSLMODE of its environment.
CONNECTION = "postgres:///{database}?connect_timeout=5&statement_timeout=5000&lock_timeout=1000&application_name=facts"
HEAD = """\
# Made by `python -m include.metrics.sql_exporter` from sql/facts: edit those. A failed query keeps its last values
# here; sql_exporter_last_scrape_failed and crypto_facts_collected_timestamp_seconds tell.
"""


def configuration() -> dict[str, Any]:
    """A job per database with all its queries."""
    return {
        "jobs": [
            {
                "name": database,
                "interval": INTERVAL,
                "connections": [CONNECTION.format(database=database)],
                "queries": [
                    {
                        "name": query.file,
                        "help": " ".join(f"{metric.name}: {metric.help}" for metric in query.metrics),
                        "labels": list(query.label_columns),
                        "values": list(query.value_columns),
                        "allow_zero_rows": True,
                        "query": _Block(statement(f"facts/{query.file}.sql")),
                    }
                    for query in (*QUERIES, *COLLECTED)
                    if query.database == database
                ],
            }
            for database in DATABASES
        ]
    }


class _Block(str):
    """Text that YAML shows line by line."""


class _Dumper(yaml.SafeDumper):
    """SafeDumper with blocks."""


def _block(dumper: yaml.SafeDumper, text: _Block) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_Dumper.add_representer(_Block, _block)


def text() -> str:
    """The committed file's content."""
    return HEAD + yaml.dump(configuration(), Dumper=_Dumper, sort_keys=False, width=10_000)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
