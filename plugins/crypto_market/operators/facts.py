"""What the metrics page says of the warehouse and cannot look up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class PublishFactsOperator(WarehouseOperator):
    """Keep completeness and the skill of what is served for the metrics page, and declare every counter at 0."""

    def execute(self, context: Context) -> int:
        from include.clock import clock_from_environment
        from include.metrics.facts import publish_facts

        with warehouse(self.warehouse_conn_id) as connection:
            return publish_facts(connection, clock_from_environment().now())
