"""Every declared metric has one source, and nothing else is shown: read from the code, not from a run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from include.metrics.births import REFUSALS, TROUBLES, VERDICTS, births
from include.metrics.emitted import EMITTED
from include.metrics.fact_queries import COLLECTED, FACTS, QUERIES
from include.metrics.metric import MetricType
from include.metrics.registry import REGISTRY
from include.reconcile.model import DaySummary

ROOT = Path(__file__).parents[2]
TYPES: dict[str, MetricType] = {"count": "counter", "timing": "timer"}
# The road by which counters are declared, wherever they are counted.
DECLARING = {"declare", "zeros"}


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
    return [each for each in found if each[1] not in DECLARING]


def test_what_is_declared_is_emitted_and_what_is_emitted_is_declared() -> None:
    emitted = {call.args[0].value for _, _, call in calls() if isinstance(call.args[0], ast.Constant)}
    assert emitted == {metric.name for metric in EMITTED}


def test_names_are_literals() -> None:
    assert [path for path, _, call in calls() if not isinstance(call.args[0], ast.Constant)] == []


def test_each_is_emitted_as_its_type_with_its_labels() -> None:
    for path, function, call in calls():
        name = call.args[0]
        assert isinstance(name, ast.Constant)
        metric = REGISTRY[str(name.value)]
        assert TYPES[function] == metric.type, f"{path}: {metric.name}"
        given = {keyword.arg for keyword in call.keywords}
        if None not in given:  # **labels cannot be read from the source
            assert given == set(metric.labels), f"{path}: {metric.name}"


def test_each_metric_has_one_source_which_fits_its_type() -> None:
    assert len(REGISTRY) == len(EMITTED) + len(FACTS)
    assert {(metric.source, metric.type) for metric in REGISTRY.values()} == {
        ("statsd", "counter"),
        ("statsd", "timer"),
        ("database", "gauge"),
    }


def test_each_query_of_facts_has_its_file_and_each_file_its_query() -> None:
    queries = [query.file for query in (*QUERIES, *COLLECTED)]
    assert sorted(queries) == sorted(path.stem for path in (ROOT / "sql/facts").glob("*.sql"))
    for query in (*QUERIES, *COLLECTED):
        text = (ROOT / f"sql/facts/{query.file}.sql").read_text()
        assert all(re.search(rf"\b{column}\b", text) for column in (*query.label_columns, *query.value_columns)), text
        assert len({metric.labels for metric in query.metrics}) == 1, f"{query.file}: one row has one set of labels"


def test_every_counter_is_born_at_zero_with_the_labels_it_counts_by() -> None:
    series = [(name, tuple(labels.items())) for name, labels in births()]
    assert len(series) == len(set(series))
    assert {name for name, _ in series} == {metric.name for metric in EMITTED if metric.type == "counter"}
    for name, labels in births():
        assert set(labels) == set(REGISTRY[name].labels), name


def test_the_words_counters_are_born_with_are_those_the_code_counts_by() -> None:
    gate, verdict = ((ROOT / f"include/politeness/{name}.py").read_text() for name in ("gate", "verdict"))
    refused = re.findall(r"self\._refuse\((.*)\)", gate)
    assert set(re.findall(r'"(\w+)"', " ".join(refused))) == set(REFUSALS)
    assert set(re.findall(r'Verdict\("(?:fail|block)", "(\w+)"', verdict)) == set(TROUBLES)
    assert set(VERDICTS) <= {*DaySummary.__annotations__}


def test_only_one_module_sends() -> None:
    senders = [
        path.relative_to(ROOT).as_posix()
        for folder in ("include", "plugins", "dags")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if re.search(r"^\s*(from|import) statsd\b", path.read_text(), re.MULTILINE)
    ]
    assert senders == ["include/metrics/emit.py"]
