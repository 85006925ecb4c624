"""Forecasting and scoring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crypto_market.hooks.mlflow import tracking_uri
from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.forecasting.registry import ModelRegistry


class ModelOperator(WarehouseOperator):
    """What operators on models share.

    :param mlflow_conn_id: Airflow connection whose host is MLflow's base URL (templated)
    """

    template_fields: Sequence[str] = ("mlflow_conn_id", *WarehouseOperator.template_fields)
    ui_color = "#f8cecc"

    def __init__(self, *, mlflow_conn_id: str = "mlflow", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mlflow_conn_id = mlflow_conn_id

    def registry(self) -> ModelRegistry:
        from include.forecasting.registry import ModelRegistry

        return ModelRegistry(tracking_uri(self.mlflow_conn_id))


class ForecastOperator(ModelOperator):
    """Seal the forecasts that are due: the champion's, or the baseline's, called by its name."""

    def execute(self, context: Context) -> dict[str, Any]:
        from include.clock import clock_from_environment
        from include.forecasting.serving import make_forecasts
        from include.metrics import emit

        with warehouse(self.warehouse_conn_id) as connection:
            done = make_forecasts(connection, self.registry(), clock_from_environment().now())
        for each in done.refused:
            what = "the row" if each.target == "log_return" else "its volatility"
            self.log.warning("refused: %s, %s bars ahead, %s: %s", each.market, each.horizon, what, each.reason)
            emit.count("crypto.forecast.refusals", 1, target=each.target.value, reason=each.reason_class.value)
        counts = {"written": done.written, "already_sealed": done.already_sealed, "refused": done.rows_refused}
        for result, number in counts.items():
            emit.count("crypto.forecast.rows", number, result=result)
        self.log.info("%s", counts)
        return counts


class ScoreForecastsOperator(WarehouseOperator):
    """Score the forecasts whose target has closed."""

    ui_color = "#f8cecc"

    def execute(self, context: Context) -> dict[str, Any]:
        from include.clock import clock_from_environment
        from include.forecasting.scoring import score_matured

        with warehouse(self.warehouse_conn_id) as connection:
            scored = score_matured(connection, clock_from_environment().now())
        self.log.info("%s", scored)
        return scored._asdict()
