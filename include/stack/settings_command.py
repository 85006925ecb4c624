"""`settings-load`: one settings file for every Airflow."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from include.stack.airflow_api import AirflowApi
from include.stack.layout import ROOT, StackError
from include.stack.settings_file import SettingsFileError, read_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", type=Path, default=ROOT / "airflow_settings.yaml")
    parser.add_argument("--airflow", default="http://127.0.0.1:8080", help="base address of Airflow")
    parser.add_argument(
        "--keep-existing", action="store_true", help="add what is missing, change nothing that is there"
    )
    parser.add_argument("--user", default="admin", help="the password is read from AIRFLOW_PASSWORD")


def run(options: argparse.Namespace) -> int:
    try:
        settings = read_settings(options.file)
        airflow = AirflowApi(options.airflow, options.user, os.environ.get("AIRFLOW_PASSWORD", ""))
        airflow.load_settings(settings, options.keep_existing)
    except (SettingsFileError, StackError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(settings.connections)} connections, {len(settings.pools)} pools, {len(settings.variables)} variables")
    return 0
