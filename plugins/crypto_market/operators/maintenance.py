"""What keeps an installation from growing without bound. Each step is safe to repeat and to kill."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import WarehouseOperator, as_bool

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from airflow.sdk import Context

    from include.maintenance.removed import Removed


class TrimOperator(BaseOperator):
    """Removes what is older than some days, and says what it removed.

    :param keep_days: how long things stay; a number, or one per kind of thing (templated)
    :param is_dry_run: say what would be removed, remove nothing (templated)
    """

    template_fields: Sequence[str] = ("keep_days", "is_dry_run")
    ui_color = "#fff2cc"

    def __init__(self, *, keep_days: Any, is_dry_run: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keep_days = keep_days
        self.is_dry_run = is_dry_run

    @abstractmethod
    def trim(self, dry_run: bool) -> Iterable[Removed]:
        """Remove, or only count."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        dry_run = as_bool(self.is_dry_run)
        removed = list(self.trim(dry_run))
        verb = "would remove" if dry_run else "removed"
        for each in removed:
            self.log.info("%s %s", verb, each)
        if not removed:
            self.log.info("nothing is old enough")
        return [each.as_dict() for each in removed]

    def older_than(self, now: datetime) -> datetime:
        from datetime import timedelta

        return now - timedelta(days=int(self.keep_days))


class RemoveOldFilesOperator(TrimOperator):
    """Remove files that have not been written to for some days, and folders that are empty then.

    :param folder: what to look through, subfolders included (templated)
    """

    template_fields: Sequence[str] = ("folder", *TrimOperator.template_fields)

    def __init__(self, *, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = folder

    def trim(self, dry_run: bool) -> Iterable[Removed]:
        from pathlib import Path

        from include.clock import SystemClock
        from include.maintenance.files import remove_old

        # Files carry the machine's time, also where a replayed world has its own.
        return remove_old(Path(self.folder), self.older_than(SystemClock().now()), dry_run=dry_run)


class TrimRowsOperator(TrimOperator):
    """Remove old rows of the warehouse's machinery; keep_days holds days per setting.

    :param warehouse_conn_id: Airflow connection of the warehouse (templated)
    """

    template_fields: Sequence[str] = ("warehouse_conn_id", *TrimOperator.template_fields)

    def __init__(self, *, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def trim(self, dry_run: bool) -> Iterable[Removed]:
        from include.clock import clock_from_environment
        from include.maintenance.rows import trim_rows

        keep_days = {name: int(days) for name, days in self.keep_days.items()}
        with warehouse(self.warehouse_conn_id) as connection:
            return trim_rows(connection, keep_days, clock_from_environment().now(), dry_run=dry_run)


class ReportTablesOperator(WarehouseOperator):
    """Say which tables are largest and how many dead rows they hold: autovacuum's work is watched, not done."""

    ui_color = "#fff2cc"

    def execute(self, context: Context) -> list[dict[str, Any]]:
        from include.maintenance.table_sizes import table_sizes

        with warehouse(self.warehouse_conn_id) as connection:
            found = table_sizes(connection)
        for each in found:
            self.log.info("%s", each)
        return [{"table": each.table, "bytes": each.bytes, "dead_rows": each.dead_rows} for each in found]


class CleanMetadataOperator(TrimOperator):
    """Trim Airflow's own metadata through `airflow db clean`; skipped where it has no connection for that.

    :param metadata_conn_id: Airflow connection of the metadata database, as a role that may trim it (templated)
    """

    template_fields: Sequence[str] = ("metadata_conn_id", *TrimOperator.template_fields)

    def __init__(self, *, metadata_conn_id: str = "airflow_metadata", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metadata_conn_id = metadata_conn_id

    def trim(self, dry_run: bool) -> Iterable[Removed]:
        from airflow.sdk.exceptions import AirflowNotFoundException

        from include.clock import SystemClock
        from include.maintenance.metadata import clean_metadata, metadata_url

        try:
            given = BaseHook.get_connection(self.metadata_conn_id)
        except AirflowNotFoundException as error:
            raise AirflowSkipException(
                f"no connection {self.metadata_conn_id!r}: make it for the role airflow_janitor, or run "
                "`airflow db clean` from outside (docs/how-to/retention.md)"
            ) from error
        url = metadata_url(given.host or "", given.port, given.schema or "", given.login or "", given.password)
        return clean_metadata(url, self.older_than(SystemClock().now()), dry_run=dry_run)


class RemoveModelsOperator(TrimOperator):
    """Remove MLflow runs and model versions that never served.

    :param warehouse_conn_id: Airflow connection of the warehouse (templated)
    :param mlflow_conn_id: Airflow connection whose host is MLflow's base URL (templated)
    """

    template_fields: Sequence[str] = ("warehouse_conn_id", "mlflow_conn_id", *TrimOperator.template_fields)

    def __init__(self, *, warehouse_conn_id: str = "warehouse", mlflow_conn_id: str = "mlflow", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id
        self.mlflow_conn_id = mlflow_conn_id

    def trim(self, dry_run: bool) -> Iterable[Removed]:
        from crypto_market.hooks.mlflow import tracking_uri
        from include.clock import clock_from_environment
        from include.maintenance.models import remove_models

        older_than = self.older_than(clock_from_environment().now())
        with warehouse(self.warehouse_conn_id) as connection:
            return remove_models(connection, tracking_uri(self.mlflow_conn_id), older_than, dry_run=dry_run)
