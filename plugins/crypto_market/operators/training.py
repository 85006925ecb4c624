"""Training: a challenger per market for one kind of forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.forecasting import ModelOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class TrainModelOperator(ModelOperator):
    """Train a challenger per market for one kind of forecast, judge it, and promote it only where the evidence holds.

    :param markets: `venue:BASE/QUOTE` of the configuration (templated)
    :param kind: what is forecast and how many bars ahead, e.g. `log_return/24` (templated)
    :param kinds: those asked for in this run; the task is skipped where its kind is not among them (templated)
    """

    template_fields: Sequence[str] = ("markets", "kind", "kinds", *ModelOperator.template_fields)

    def __init__(self, *, markets: Sequence[str], kind: str, kinds: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.markets = markets
        self.kind = kind
        self.kinds = kinds

    def execute(self, context: Context) -> list[dict[str, Any]]:
        from dataclasses import asdict

        from include.clock import clock_from_environment
        from include.config.markets import FORECAST_TIMEFRAME, market_by_key
        from include.forecasting.kinds import kind_by_key
        from include.forecasting.training import train_market
        from include.forecasting.walkforward import NotEnoughHistoryError
        from include.metrics import emit

        kind = kind_by_key(self.kind)
        if self.kind not in self.kinds:
            raise AirflowSkipException(f"this run is about {', '.join(self.kinds)}")
        clock, registry = clock_from_environment(), self.registry()
        outcomes, refusals = [], []
        with warehouse(self.warehouse_conn_id) as connection:
            for market in map(market_by_key, self.markets):
                try:
                    outcome = train_market(connection, registry, market, FORECAST_TIMEFRAME, kind, clock.now())
                except NotEnoughHistoryError as reason:  # a young market does not hold up the others
                    self.log.warning("not trained: %s: %s", market.key, reason)
                    refusals.append(f"{market.key}: {reason}")
                    continue
                self.log.info("%s", outcome)
                served = "model" if outcome.champion_version else "naive"
                labels = {"symbol": market.symbol, "horizon": kind.horizon_bars, "target": str(kind.target)}
                emit.count("crypto.model.trainings", 1, decision=served, **labels)
                outcomes.append(asdict(outcome))
        if refusals and not outcomes:
            raise AirflowSkipException("; ".join(refusals))
        return outcomes
