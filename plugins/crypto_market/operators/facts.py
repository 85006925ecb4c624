"""Freshness and completeness of the warehouse as metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from crypto_market.hooks.warehouse import warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context


class PublishFactsOperator(BaseOperator):
    """Send what the warehouse says of its own freshness, coverage and forecasts as gauges.

    :param warehouse_conn_id: Airflow connection of the warehouse (templated)
    """

    template_fields: Sequence[str] = ("warehouse_conn_id",)

    def __init__(self, *, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> int:
        from include.clock import clock_from_environment
        from include.metrics.facts import publish_facts

        with warehouse(self.warehouse_conn_id) as connection:
            return publish_facts(connection, clock_from_environment().now())
