"""Rules every operator keeps, and how its templated arguments are rendered."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from typing import Any

import pytest
from airflow.sdk import DAG, BaseOperator, Param

import crypto_market.operators as package
from crypto_market.defaults import DAG_DEFAULTS
from crypto_market.operators.archive import ArchiveCandlesOperator, ArchiveTickersOperator, ExportViewsOperator, as_bool
from crypto_market.operators.candles import CandlesToPostgresOperator
from crypto_market.operators.snapshots import CoinSnapshotsToPostgresOperator
from crypto_market.operators.training import TrainModelOperator


def operators() -> list[type[BaseOperator]]:
    modules = [importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__)]
    found = {
        each
        for module in modules
        for each in vars(module).values()
        if inspect.isclass(each) and issubclass(each, BaseOperator) and each.__module__ == module.__name__
    }
    assert len(found) >= 11
    return sorted(found, key=lambda each: each.__name__)


EACH = pytest.mark.parametrize("operator", operators(), ids=lambda each: each.__name__)


def own_classes(operator: type[BaseOperator]) -> list[type]:
    return [each for each in operator.__mro__ if each.__module__.startswith(package.__name__)]


@EACH
def test_template_fields_are_assigned_as_they_come(operator: type[BaseOperator]) -> None:
    """Airflow renders after __init__: whatever looks at a field there sees the template's text."""
    assigned: dict[str, str] = {}
    for each in own_classes(operator):
        if "__init__" not in vars(each):
            continue
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(each.__init__))).body
        assert isinstance(function, ast.FunctionDef)
        for statement in function.body:
            if isinstance(statement, ast.Expr):
                assert re.fullmatch(
                    r"super\(\)\.__init__\((retry_on_failure=False, )?\*\*kwargs\)", ast.unparse(statement)
                )
                continue
            assert isinstance(statement, (ast.Assign, ast.AnnAssign)), ast.unparse(statement)
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            assert statement.value is not None
            assigned[ast.unparse(target)] = ast.unparse(statement.value)
    of_others = {
        field
        for each in operator.__mro__
        if not each.__module__.startswith(package.__name__)
        for field in getattr(each, "template_fields", ())
    }
    for field in operator.template_fields:
        if f"self.{field}" in assigned or field not in of_others:
            assert assigned.get(f"self.{field}") == field


@EACH
def test_every_argument_is_documented(operator: type[BaseOperator]) -> None:
    text = "".join(inspect.getdoc(each) or "" for each in own_classes(operator))
    for each in own_classes(operator):
        own = vars(each).get("__init__")
        for name, parameter in inspect.signature(own).parameters.items() if own else ():
            if parameter.kind is parameter.KEYWORD_ONLY:
                assert f":param {name}:" in text, name


def rendered(operator_class: type[BaseOperator], params: dict[str, Any], **arguments: Any) -> Any:
    """The operator after Airflow has rendered its fields, in a DAG as ours are made."""
    with DAG("rendering", schedule=None, params={k: Param(v) for k, v in params.items()}, **DAG_DEFAULTS):
        operator = operator_class(task_id="it", **arguments)
    operator.render_template_fields({"params": params, "var": {"value": {"archive_uri": "file:///archive"}}})
    return operator


def test_a_list_of_the_params_arrives_as_a_list() -> None:
    frames, keys = ["1h", "1d"], ["binance:BTC/USDT", "binance:ETH/USDT"]
    operator = rendered(
        CandlesToPostgresOperator,
        {"timeframes": frames, "markets": keys, "kraken_trades": False},
        venue="binance",
        markets="{{ params.markets }}",
        timeframes="{{ params.timeframes }}",
        fold_trades="{{ params.kraken_trades }}",
    )
    assert (operator.timeframes, operator.markets, operator.fold_trades) == (frames, keys, False)
    trained = rendered(
        TrainModelOperator,
        {"markets": keys, "kinds": ["volatility/24"]},
        markets="{{ params.markets }}",
        kinds="{{ params.kinds }}",
        kind="log_return/24",
    )
    assert (trained.markets, trained.kinds, trained.kind) == (keys, ["volatility/24"], "log_return/24")


def test_a_dictionary_stays_one() -> None:
    coins = {"BTC": "bitcoin"}
    assert rendered(CoinSnapshotsToPostgresOperator, {}, coins=coins).coins == coins


@pytest.mark.parametrize("switch", [True, False])
def test_a_switch_arrives_as_a_truth_value(switch: bool) -> None:
    operator = rendered(
        ArchiveCandlesOperator,
        {"dry_run": switch},
        archive_uri="{{ var.value.archive_uri }}",
        is_dry_run="{{ params.dry_run }}",
    )
    assert operator.is_dry_run is switch
    assert operator.archive_uri == "file:///archive"
    uri = "{{ var.value.archive_uri }}"
    months = "{{ params.months }}"
    assert rendered(ArchiveTickersOperator, {"months": 6}, archive_uri=uri, keep_months=months).keep_months == 6
    views = rendered(ExportViewsOperator, {"views": ["ohlcv"]}, archive_uri=uri, views="{{ params.views }}").views
    assert views == ["ohlcv"]


@pytest.mark.parametrize(("value", "meant"), [(True, True), (False, False), ("True", True), ("false", False)])
def test_a_switch_that_became_text_keeps_its_meaning(value: bool | str, meant: bool) -> None:
    assert as_bool(value) is meant


@pytest.mark.parametrize("value", ["", "0", "no", "None"])
def test_what_is_no_switch_is_never_taken_for_one(value: str) -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        as_bool(value)
