"""Every declared metric is emitted somewhere, and nothing else is: read from the source, not from a run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from include.metrics.registry import REGISTRY, MetricType

ROOT = Path(__file__).parents[2]
TYPES: dict[str, MetricType] = {"count": "counter", "gauge": "gauge", "timing": "timer"}


def calls() -> list[tuple[str, str, ast.Call]]:
    """File, function and call of every `emit.…(…)`."""
    found = []
    for folder in ("include", "plugins", "dags"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                if is_call and isinstance(node.func.value, ast.Name) and node.func.value.id == "emit":
                    found.append((path.relative_to(ROOT).as_posix(), node.func.attr, node))
    assert found, "no call found: has emit been renamed?"
    return found


def named_in_sql() -> set[str]:
    """Metrics whose name is a literal in sql/: their values are sent as gauges by include/metrics/facts.py."""
    texts = [path.read_text() for path in (ROOT / "sql").rglob("*.sql")]
    return {name for text in texts for name in re.findall(r"'(crypto\.[a-z_.]+)'", text)}


def emitted() -> set[str]:
    names = {call.args[0].value for _, _, call in calls() if isinstance(call.args[0], ast.Constant)}
    return {str(name) for name in names} | named_in_sql()


def test_what_is_declared_is_emitted_and_what_is_emitted_is_declared() -> None:
    assert emitted() == set(REGISTRY)


def test_names_are_literals_but_for_the_one_place_that_reads_them_from_sql() -> None:
    variable = {path for path, _, call in calls() if not isinstance(call.args[0], ast.Constant)}
    assert variable == {"include/metrics/facts.py"}


def test_each_is_emitted_as_its_type_with_its_labels() -> None:
    for path, function, call in calls():
        name = call.args[0]
        if not isinstance(name, ast.Constant):
            continue
        metric = REGISTRY[str(name.value)]
        assert TYPES[function] == metric.type, f"{path}: {metric.name}"
        given = {keyword.arg for keyword in call.keywords}
        if None not in given:  # **labels cannot be read from the source
            assert given == set(metric.labels), f"{path}: {metric.name}"
    assert {REGISTRY[name].type for name in named_in_sql()} == {"gauge"}


def test_only_one_module_sends() -> None:
    senders = [
        path.relative_to(ROOT).as_posix()
        for folder in ("include", "plugins", "dags")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if re.search(r"^\s*(from|import) statsd\b", path.read_text(), re.MULTILINE)
    ]
    assert senders == ["include/metrics/emit.py"]
