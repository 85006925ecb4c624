"""`python -m include.cli models`: who serves on what evidence, back to another version, a training's dataset again.

Exit status: 0 done, 1 refused (or a dataset that is not found again), 2 no answer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import psycopg

from include.clock import Clock, clock_from_environment
from include.config.markets import FORECAST_TIMEFRAME, UnknownMarketError, market_by_key
from include.forecasting.kinds import KIND_KEYS, UnknownKindError, kind_by_key
from include.forecasting.p_values import p_stated
from include.warehouse.connection import DSN_VARIABLE, Connection, UnnamedWarehouseError, connect, dsn_of_command

MLFLOW_VARIABLE, AIRFLOW_VARIABLE = "MLFLOW_TRACKING_URI", "AIRFLOW_CONN_MLFLOW"
SHOWN = 5  # decisions per model, for people


class UnnamedRegistryError(ValueError):
    """The command was not told where MLflow is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's actions and options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shown = actions.add_parser("list", help="champions, challengers, their age, evidence and history")
    back = actions.add_parser("rollback", help="let the previous champion serve again, another version, or none")
    back.add_argument("market", help="venue:BASE/QUOTE of the configuration")
    back.add_argument("kind", help=f"what is forecast: {', '.join(KIND_KEYS)}")
    back.add_argument("--to", metavar="VERSION|naive", help="default: who served before the present champion")
    back.add_argument("--reason", default="rolled back by hand", help="stands in ml.promotion")
    back.add_argument("--who", help="stands in ml.promotion (default: the account's name)")
    again = actions.add_parser("dataset", help="find a training's dataset again; exit 1 where it is another")
    again.add_argument("training", type=int, help="ml.training_run.training_run_id")
    for action in (shown, back, again):
        action.add_argument("--json", action="store_true", help="print JSON")
        action.add_argument("--dsn", help=f"the warehouse (default: ${DSN_VARIABLE})")
    for action in (shown, back):
        action.add_argument(
            "--mlflow", metavar="URI", help=f"default: the host of ${AIRFLOW_VARIABLE}, ${MLFLOW_VARIABLE}"
        )
    parser.epilog = "Exit status: 0 done, 1 refused, or a dataset that is not found again, 2 no answer."


def run(options: argparse.Namespace, environ: Mapping[str, str] = os.environ, clock: Clock | None = None) -> int:
    """Do the action and print what came of it; see the parser's epilogue for the status."""
    from mlflow.exceptions import MlflowException

    from include.forecasting.dataset_check import UnknownTrainingError
    from include.forecasting.models import RollbackError

    try:
        now = (clock or clock_from_environment(environ)).now()
        with connect(dsn_of_command(options.dsn, environ)) as connection:
            if options.action == "dataset":
                return _dataset(connection, options)
            uri = _registry_of(options.mlflow, environ)
            if options.action == "list":
                return _list(connection, uri, options, now)
            return _back(connection, uri, options, now, environ)
    except RollbackError as refusal:
        print(f"not rolled back: {refusal}", file=sys.stderr)
        return 1
    except (
        UnknownMarketError, UnknownKindError, UnknownTrainingError, UnnamedWarehouseError, UnnamedRegistryError,
        psycopg.Error, MlflowException, OSError,
    ) as error:  # fmt: skip
        print(f"no answer: {str(error).strip()}", file=sys.stderr)
        return 2


def _registry_of(given: str | None, environ: Mapping[str, str]) -> str:
    """MLflow's address: the option's, that of the Airflow connection `make env` prints, or the environment's."""
    address = given
    if not address and environ.get(AIRFLOW_VARIABLE, "").startswith("{"):
        address = json.loads(environ[AIRFLOW_VARIABLE]).get("host")
    address = address or environ.get(MLFLOW_VARIABLE)
    if not address:
        raise UnnamedRegistryError(f"name MLflow: --mlflow, or {MLFLOW_VARIABLE} in the environment")
    return str(address)


def _list(connection: Connection, uri: str, options: argparse.Namespace, now: datetime) -> int:
    from include.forecasting.models import registered_models
    from include.forecasting.registry import ModelRegistry

    models = registered_models(connection, ModelRegistry(uri))
    if options.json:
        print(json.dumps([asdict(model) for model in models], indent=2, default=_plain))
        return 0
    for model in models:
        print(f"{model.market} {model.target}/{model.horizon_bars} ({model.name})")
        print(f"  champion    {_described(model, model.champion, now)}")
        print(f"  challenger  {_described(model, model.challenger, now)}")
        for each in model.history[:SHOWN]:
            who = f" by {each.decided_by}" if each.decided_by else ""
            served = f"{each.champion_before or 'baseline'} -> {each.champion_after or 'baseline'}"
            print(f"  {each.decided_at:%Y-%m-%d %H:%M}  {each.decision}{who}, served {served}: {each.reason}")
    if not models:
        print("no model was trained yet")
    return 0


def _described(model: Any, number: str | None, now: datetime) -> str:
    from include.forecasting.stored_model import MODEL_AGE_LIMIT_DAYS

    if number is None:
        return "none: the baseline serves"
    version = model.version(number)
    if version is None:
        return f"version {number}, of no training in this warehouse"
    held = [f"{share:.1%}" for share in (version.interval_coverage, version.interval_coverage_95) if share is not None]
    return (
        f"version {number} (training {version.training_run_id}), learned until {version.learned_until:%Y-%m-%d},"
        f" {(now - version.learned_until).days} of {MODEL_AGE_LIMIT_DAYS} days old; {version.recipe} over"
        f" {version.baseline}: skill {version.skill:+.2%}, {p_stated(version.p_value_adjusted)} for {version.tries}"
        f" tries, {version.test_rows} rows; intervals held {' and '.join(held) or 'not judged'}"
    )


def account(environ: Mapping[str, str]) -> str:
    """Whose command it is; in a container the account may have no name."""
    return environ.get("LOGNAME") or environ.get("USER") or f"uid {os.getuid()}"


def _back(
    connection: Connection, uri: str, options: argparse.Namespace, now: datetime, environ: Mapping[str, str]
) -> int:
    from include.forecasting.models import BASELINE, RollbackError, roll_back
    from include.forecasting.registry import ModelRegistry, model_name
    from include.warehouse.world import world_of

    market, kind, world = market_by_key(options.market), kind_by_key(options.kind), world_of(connection)
    if world is None:
        raise RollbackError("this warehouse holds no data yet")
    name = model_name(world, market.venue, market.symbol, FORECAST_TIMEFRAME, kind)
    done = roll_back(
        connection,
        ModelRegistry(uri),
        name,
        str(kind.target),
        to=options.to,
        reason=options.reason,
        who=options.who or account(environ),
        now=now,
    )
    if options.json:
        print(json.dumps({"registered_model": name, "is_changed": done.before != done.after, **done._asdict()}))
    elif done.before == done.after:
        print(f"{name}: {done.after or BASELINE} serves already")
    else:
        print(f"{name}: {done.before or BASELINE} -> {done.after or BASELINE}; written to ml.promotion")
    return 0


def _dataset(connection: Connection, options: argparse.Namespace) -> int:
    from include.forecasting.dataset_check import check_dataset

    found = check_dataset(connection, options.training)
    if options.json:
        print(json.dumps(asdict(found) | {"is_equal": found.is_equal}, indent=2, default=_plain))
    else:
        what = f"training {found.training_run_id}, {found.market} {found.target}/{found.horizon_bars}"
        known = f"{found.rows} rows as known at {found.known_at:%Y-%m-%d %H:%M:%S} UTC"
        verdict = "the dataset is found again" if found.is_equal else f"ANOTHER DATASET: {'; '.join(found.why)}"
        print(f"{what}: {known}: {found.found_sha256}, stored {found.stored_sha256}: {verdict}")
    return 0 if found.is_equal else 1


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
