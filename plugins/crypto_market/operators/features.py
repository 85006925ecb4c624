"""Features of whatever changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class UpsertFeaturesOperator(WarehouseOperator):
    """Recompute the features that changed candles reach, whatever changed them; idempotent, and free of a window."""

    ui_color = "#e1d5e7"

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
