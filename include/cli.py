"""`python -m include.cli COMMAND`: the product's functions without Airflow, and the embedded stack."""

from __future__ import annotations

import argparse
import importlib
import sys

# name -> (module with add_arguments and run, one line of help); modules are imported only when they are asked for
COMMANDS = {
    "replay": ("include.replay.command", "serve recorded or synthetic venues over HTTP"),
    "statsd-receiver": ("include.metrics.command", "receive StatsD over UDP, show it as a Prometheus page"),
    "backfill-quote": ("include.collect.quote_command", "what a backfill will ask of each venue, before it runs"),
    "market": ("include.serving.market_command", "markets, tickers, sentiment, alerts, candles; exit 1 on any doubt"),
    "coverage": ("include.coverage.command", "the equation of completeness; exit 1 on any unknown candle"),
    "forecasts": (
        "include.serving.forecasts_command",
        "the newest forecasts or why there are none, calibration, scoreboard, models; exit 1 on any doubt",
    ),
    "reconcile": ("include.reconcile.command", "compare the venues' candles of the same hours"),
    "verify-forecasts": (
        "include.forecasting.verify_command",
        "are forecasts and scores what was sealed? exit 1 on any that is not",
    ),
    "report": ("include.forecasting.report_command", "forecasts, calibration and the scoreboard as one HTML page"),
    "report-metrics": (
        "include.forecasting.report_metrics_command",
        "the README's figures of forecasts, from recorded data",
    ),
    "models": ("include.forecasting.models_command", "champions and their evidence; roll back; find a dataset again"),
    "budgets": ("include.politeness.command", "request budgets and circuits of every source"),
    "archive": (
        "include.warehouse.archive_command",
        "months that left for files: list them, verify the files, restore; exit 1 on any wrong byte",
    ),
    "export": ("include.warehouse.export_command", "public views as CSV files"),
    "migrate": ("include.warehouse.command", "make roles, database and tables of the warehouse"),
    "monitor-grants": ("include.metrics.airflow_grants", "let the role monitor read the facts of Airflow's metadata"),
    "backup": ("include.backup.command", "dump every database, prove the dumps, forget the oldest"),
    "restore-backup": ("include.backup.restore_command", "bring one database back from a dump"),
    "backups": ("include.backup.list_command", "what there is to restore; exit 1 on a spoilt file"),
    "new-venue": ("include.scaffold.new_venue", "make the first files of another exchange"),
    "settings-load": ("include.stack.settings_command", "load airflow_settings.yaml into a running Airflow"),
    "stack": ("include.stack.command", "the embedded stack: up, down, status, demo, sql, env"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m include.cli", description=__doc__.split(":")[1].strip())
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name in given[:1]:
            importlib.import_module(module).add_arguments(command)
    options = parser.parse_args(given)
    return int(importlib.import_module(COMMANDS[options.command][0]).run(options))


if __name__ == "__main__":
    sys.exit(main())
