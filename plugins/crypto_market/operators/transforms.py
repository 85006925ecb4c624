"""The schema mart: what whatever changed makes of it, alerts sent, and a look at the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.operators.sql import SQLTableCheckOperator
from airflow.sdk.exceptions import AirflowFailException

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class TransformMarketsOperator(WarehouseOperator):
    """Bring the tables of mart in line with what changed, whatever changed it; idempotent, and free of a window.

    Then forget old changes that every consumer has dealt with, so that finding the pending ones stays cheap.
    """

    ui_color = "#e1d5e7"

    def execute(self, context: Context) -> dict[str, Any]:
        from include.clock import clock_from_environment
        from include.metrics import emit
        from include.transforms.run import run_transforms
        from include.warehouse.changes import forget_consumed

        now = clock_from_environment().now()
        with warehouse(self.warehouse_conn_id) as connection:
            done = run_transforms(connection, recorded_at=now)
            forgotten = forget_consumed(connection, now)
        for table, counts in done.tables.items():
            for result, number in counts._asdict().items():
                emit.count("crypto.transform.rows", number, table=table, result=result)
        for result, number in done.price_alert._asdict().items():
            emit.count("crypto.alert.changes", number, result=result)
        self.log.info("%s; %d changes that all have dealt with forgotten", done, forgotten)
        return done.as_dict()


class NotifyAlertsOperator(WarehouseOperator):
    """Send the alerts that are due, and take back sent ones that were retracted.

    :param notifier_conn_id: Airflow connection that names the notifier; without it alerts are logged (templated)
    """

    template_fields: Sequence[str] = ("notifier_conn_id", *WarehouseOperator.template_fields)
    ui_color = "#f8cecc"

    def __init__(self, *, notifier_conn_id: str = "price_alerts", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.notifier_conn_id = notifier_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        from crypto_market.notifications import sender
        from include.clock import clock_from_environment
        from include.metrics import emit
        from include.transforms.notices import Notice, send_notices

        send = sender(context, self.notifier_conn_id)

        def send_and_count(notice: Notice) -> None:
            send(notice)
            emit.count("crypto.alert.notices", kind=notice.kind)

        with warehouse(self.warehouse_conn_id) as connection:
            done = send_notices(connection, clock_from_environment().now(), send_and_count)
        self.log.info("%s", done)
        return done._asdict()


class CheckMartOperator(SQLTableCheckOperator):
    """SQLTableCheckOperator that reads its table, of one row, once for all checks, and counts what fails.

    It fails at once: data does not heal by trying again.
    """

    ui_color = "#fff2cc"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(retry_on_failure=False, **kwargs)

    def execute(self, context: Context) -> None:
        from include.metrics import emit
        from include.transforms.checks import checks_statement

        self.sql = checks_statement(self.table, self.checks)
        try:
            super().execute(context)
        except AirflowFailException:
            for result in self.check_results:
                if not result.success:
                    emit.count("crypto.check.failures", check=f"mart.{result.name}")
            raise
