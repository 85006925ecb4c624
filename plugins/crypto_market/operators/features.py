"""Features of whatever changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from crypto_market.hooks.warehouse import warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context


class UpsertFeaturesOperator(BaseOperator):
    """Recompute the features that changed candles reach, whatever changed them; idempotent, and free of a window.

    :param warehouse_conn_id: Airflow connection of the warehouse (templated)
    """

    template_fields: Sequence[str] = ("warehouse_conn_id",)
    ui_color = "#e1d5e7"

    def __init__(self, *, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from include.clock import clock_from_environment
        from include.features.upsert import upsert_features
        from include.metrics import emit

        with warehouse(self.warehouse_conn_id) as connection:
            done = upsert_features(connection, recorded_at=clock_from_environment().now())
        self.log.info("%s", done)
        for result in ("new", "changed", "unchanged"):
            emit.count("crypto.feature.rows", getattr(done, f"rows_{result}"), result=result)
        return done._asdict()
