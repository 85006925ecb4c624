"""Freshness and completeness of the warehouse as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class PublishFactsOperator(WarehouseOperator):
    """Send what the warehouse says of its own freshness, coverage and forecasts as gauges."""

    def execute(self, context: Context) -> int:
        from include.clock import clock_from_environment
        from include.metrics.facts import publish_facts

        with warehouse(self.warehouse_conn_id) as connection:
            return publish_facts(connection, clock_from_environment().now())
