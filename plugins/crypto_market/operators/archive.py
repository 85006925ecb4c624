"""Closed months to Parquet, public views to CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import WarehouseOperator, as_bool
from crypto_market.window import window

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.warehouse.archive_run import ArchivedSeries


class ArchiveOperator(WarehouseOperator):
    """What the operators that move months into the archive share.

    :param archive_uri: folder or object store, e.g. `file:///data/archive` or `s3://aws@bucket/archive` (templated)
    :param is_dry_run: say what would be written, touch nothing (templated)
    :param drop_rows: empty the month in the table once its archive has been verified (templated)
    """

    template_fields: Sequence[str] = ("archive_uri", "is_dry_run", "drop_rows", *WarehouseOperator.template_fields)
    ui_color = "#fff2cc"

    def __init__(
        self,
        *,
        archive_uri: str,
        is_dry_run: bool | str = True,
        drop_rows: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.archive_uri = archive_uri
        self.is_dry_run = is_dry_run
        self.drop_rows = drop_rows

    def tell(self, done: list[ArchivedSeries], dataset: str) -> list[dict[str, Any]]:
        """Log, count and answer what was done."""
        from include.metrics import emit

        for line in done:
            self.log.info("%s", line)
            if not as_bool(self.is_dry_run):
                emit.count("crypto.archive.rows", line.rows, dataset=dataset)
        return [line.as_dict() for line in done]


class ArchiveCandlesOperator(ArchiveOperator):
    """Write the months that end within the window to Parquet, compare each with the table, and drop it only if told.

    A month that features still need stays in the table.
    """

    def execute(self, context: Context) -> list[dict[str, Any]]:
        from airflow.sdk import ObjectStoragePath

        from include.clock import clock_from_environment
        from include.features.blocks import memory
        from include.warehouse.archive_run import archive_all
        from include.warehouse.months import months_ended

        is_dry_run, drop_rows = as_bool(self.is_dry_run), as_bool(self.drop_rows)
        store = ObjectStoragePath(self.archive_uri)
        span, now = window(context, "month"), clock_from_environment().now()
        months = months_ended(span.start, min(span.end, now))
        if not months:
            raise AirflowSkipException(f"no month ends from {span}, or none is closed at {now:%Y-%m-%d %H:%M} UTC")
        done = []
        with warehouse(self.warehouse_conn_id) as connection:
            for month in months:
                done += archive_all(
                    connection, store, month, now, dry_run=is_dry_run, drop_rows=drop_rows, needed_for=memory
                )
        return self.tell(done, "candle")


class ArchiveTickersOperator(ArchiveOperator):
    """Write old months of tickers to Parquet, compare each with the table, and drop its partition only if told.

    Which months depends on their age alone, not on the run's window.

    :param keep_months: whole months before the present one that stay in the table (templated)
    """

    template_fields: Sequence[str] = ("keep_months", *ArchiveOperator.template_fields)

    def __init__(self, *, keep_months: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keep_months = keep_months

    def execute(self, context: Context) -> list[dict[str, Any]]:
        from airflow.sdk import ObjectStoragePath

        from include.clock import clock_from_environment
        from include.warehouse.archive_run import archive_tickers

        with warehouse(self.warehouse_conn_id) as connection:
            done = archive_tickers(
                connection,
                ObjectStoragePath(self.archive_uri),
                clock_from_environment().now(),
                keep_months=int(self.keep_months),
                dry_run=as_bool(self.is_dry_run),
                drop_rows=as_bool(self.drop_rows),
            )
        if not done:
            raise AirflowSkipException(f"no tickers are older than {self.keep_months} whole months")
        return self.tell(done, "ticker")


class ExportViewsOperator(WarehouseOperator):
    """Write the window's rows of public views to CSV files in the archive, under `export/`.

    :param archive_uri: folder or object store, e.g. `file:///data/archive` or `s3://aws@bucket/archive` (templated)
    :param views: names of the views; none: the task is skipped (templated)
    """

    template_fields: Sequence[str] = ("archive_uri", "views", *WarehouseOperator.template_fields)
    ui_color = "#d9ead3"

    def __init__(self, *, archive_uri: str, views: Sequence[str] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.archive_uri = archive_uri
        self.views = views

    def execute(self, context: Context) -> list[str]:
        from airflow.sdk import ObjectStoragePath

        from include.clock import clock_from_environment
        from include.warehouse.export import export_view

        if not self.views:
            raise AirflowSkipException("no views were chosen")
        store, now = ObjectStoragePath(self.archive_uri), clock_from_environment().now()
        start, end = window(context, "month")
        done = []
        with warehouse(self.warehouse_conn_id) as connection:
            for view in self.views:
                exported = export_view(connection, store, view, now, start=start, end=end)
                self.log.info("%s", exported)
                done.append(exported.path)
        return done
