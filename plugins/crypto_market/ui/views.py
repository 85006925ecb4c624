"""Our pages in Airflow's navigation and on the pages of its DAGs."""

from __future__ import annotations

from typing import Any

PREFIX = "/market"
PAGES = ("market", "coverage", "forecasts", "pipeline")
CATEGORY = "Crypto market"


def external_views() -> list[dict[str, Any]]:
    """One entry of the navigation per page, and a tab on the page of each DAG."""
    pages = [
        {
            "name": name.capitalize(),
            "href": f"{PREFIX}/pages/{name}",
            "destination": "nav",
            "category": CATEGORY,
            "url_route": f"crypto-{name}",
        }
        for name in PAGES
    ]
    of_dag = {
        "name": "Data",
        "href": f"{PREFIX}/pages/pipeline?dag_id={{DAG_ID}}",
        "destination": "dag",
        "url_route": "crypto-data",
    }
    return [*pages, of_dag]
