"""Checks of the stored features: Airflow's SQL checks, which here also name the rows at fault, and a recomputation.

A fault in the data does not heal by trying again: a failed check fails its task at once, other errors are retried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.operators.sql import BaseSQLOperator, SQLColumnCheckOperator, SQLTableCheckOperator
from airflow.sdk.exceptions import AirflowFailException

from crypto_market.hooks.warehouse import warehouse
from crypto_market.operators.base import WarehouseOperator, as_bool

if TYPE_CHECKING:
    from airflow.sdk import Context


class FeatureCheckOperator(BaseSQLOperator):
    """What the SQL checks of features share: which rows they look at, and what they say of those that fail.

    :param conn_id: Airflow connection of the warehouse (templated)
    :param full_check: every row there is, not those of late alone (templated)
    """

    template_fields: Sequence[str] = ("conn_id", "full_check")
    ui_color = "#fff2cc"

    def __init__(self, *, conn_id: str = "warehouse", full_check: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.full_check = full_check
        self.retry_on_failure = False
        self.hook_params = {"log_sql": False}  # some 500 lines in each run's log; they lie in sql/checks

    def statement(self, name: str) -> str:
        """SQL of a file in sql/checks."""
        from include.features_check.rules import template_names
        from include.warehouse.sql import statement

        return statement(f"checks/{name}", **template_names(is_full=as_bool(self.full_check)))

    def ask(self, name: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a file in sql/checks."""
        return list(self.get_db_hook().get_records(self.statement(name), parameters))

    def failure(self, what: str, rows: Sequence[tuple[Any, ...]], lines: Sequence[str]) -> AirflowFailException:
        """The error of a failed check, counted; the last field of each row is how many rows there are in all."""
        from include.features_check.offenders import summary
        from include.metrics import emit

        for result in self.check_results:
            if not result.success:
                emit.count("crypto.check.failures", check=result.name)
        return AirflowFailException(summary(what, lines, rows[0][-1] if rows else 0))


class FeatureRangesOperator(FeatureCheckOperator, SQLColumnCheckOperator):
    """SQLColumnCheckOperator over the checked rows, in one pass over the table however many columns there are."""

    def execute(self, context: Context) -> None:
        from include.features_check.offenders import range_lines, range_parameters

        self.sql = self.statement("column_ranges.sql")
        try:
            super().execute(context)
        except AirflowFailException as failed:
            rows = self.ask("out_of_range.sql", range_parameters())
            raise self.failure("values outside the bounds of their columns", rows, range_lines(rows)) from failed


class FeatureRowsOperator(FeatureCheckOperator, SQLTableCheckOperator):
    """SQLTableCheckOperator over the checked rows: a row for each candle, a candle for each row, the newest there,
    no NULL after warm-up, ordered bands and levels; in one pass over the table.
    """

    def execute(self, context: Context) -> None:
        from include.features_check.offenders import AT_MOST, row_lines

        self.sql = self.statement("row_rules.sql")
        try:
            super().execute(context)
        except AirflowFailException as failed:
            rows = self.ask("broken_rows.sql", {"at_most": AT_MOST})
            raise self.failure("broken rules of rows", rows, row_lines(rows)) from failed


class CrossCheckIndicatorsOperator(WarehouseOperator):
    """Compute indicators once more with another library, and compare the newest stored rows with them.

    :param series_per_run: how many instruments and timeframes at most; the hour decides which, so that all have their
        turn (templated)
    :param full_check: all of them (templated)
    """

    template_fields: Sequence[str] = ("series_per_run", "full_check", *WarehouseOperator.template_fields)
    ui_color = "#fff2cc"

    def __init__(self, *, series_per_run: int | str = 24, full_check: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.series_per_run = series_per_run
        self.full_check = full_check

    def execute(self, context: Context) -> dict[str, int]:
        from include.clock import clock_from_environment
        from include.features_check.cross_check import cross_check
        from include.features_check.offenders import AT_MOST, summary
        from include.metrics import emit

        at_most = None if as_bool(self.full_check) else int(self.series_per_run)
        with warehouse(self.warehouse_conn_id) as connection:
            done = cross_check(connection, clock_from_environment().now(), at_most)
        for column in sorted({each.column for each in done.disagreements}):
            emit.count("crypto.check.failures", check=f"cross_check.{column}")
        if done.disagreements:
            lines = [str(each) for each in done.disagreements[:AT_MOST]]
            what = "stored values differ from those of another library"
            raise AirflowFailException(summary(what, lines, len(done.disagreements)))
        self.log.info("%s", done)
        return {"series": done.series, "values": done.values}
