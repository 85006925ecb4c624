"""Closed months to Parquet, old files away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import WarehouseOperator, as_bool
from crypto_market.window import window

if TYPE_CHECKING:
    from airflow.sdk import Context


class ArchiveCandlesOperator(WarehouseOperator):
    """Write the months that end within the window to Parquet, compare each with the table, and drop it only if told.

    :param archive_uri: folder or object store, e.g. `file:///data/archive` or `s3://aws@bucket/archive` (templated)
    :param is_dry_run: say what would be written, touch nothing (templated)
    :param drop_rows: empty the month in the table once its archive has been verified, unless features still need it
        (templated)
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

    def execute(self, context: Context) -> list[dict[str, Any]]:
        from airflow.sdk import ObjectStoragePath

        from include.clock import clock_from_environment
        from include.features.blocks import memory
        from include.metrics import emit
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
        for line in done:
            self.log.info("%s", line)
            if not is_dry_run:
                emit.count("crypto.archive.rows", line.rows, dataset="candle")
        return [line.as_dict() for line in done]


class RemoveOldFilesOperator(BaseOperator):
    """Remove files that have not been written to for some days.

    :param folder: what to look through, subfolders included (templated)
    :param keep_days: files younger than this stay (templated)
    :param is_dry_run: say what would be removed, remove nothing (templated)
    """

    template_fields: Sequence[str] = ("folder", "keep_days", "is_dry_run")
    ui_color = "#fff2cc"

    def __init__(self, *, folder: str, keep_days: int | str, is_dry_run: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = folder
        self.keep_days = keep_days
        self.is_dry_run = is_dry_run

    def execute(self, context: Context) -> dict[str, Any]:
        from datetime import timedelta
        from pathlib import Path

        from include.clock import SystemClock
        from include.warehouse.old_files import expired_files, remove_files

        is_dry_run = as_bool(self.is_dry_run)
        # Files carry the machine's time, also where a replayed world has its own.
        older_than = SystemClock().now() - timedelta(days=int(self.keep_days))
        removed = remove_files(expired_files(Path(self.folder), older_than), dry_run=is_dry_run)
        verb = "would remove" if is_dry_run else "removed"
        self.log.info("%s %s files (%s bytes) not written since %s", verb, removed.files, removed.bytes, older_than)
        return removed._asdict()
