"""The mapping file: which rule wins, what it makes, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.metrics.receiver import mapping as module
from include.metrics.receiver.mapping import Mapping, MappingError, load_mapping, parse_mapping

DEFAULTS = {"observer_type": "histogram", "histogram_options": {"buckets": [1, 2]}, "ttl": "0s"}


def mapping_of(*rules: dict[str, Any]) -> Mapping:
    return parse_mapping({"defaults": DEFAULTS, "mappings": list(rules)})


def test_a_glob_takes_whole_segments_and_gives_labels() -> None:
    mapping = mapping_of(
        {"match": "a.*.z", "name": "a_z_total", "labels": {"middle": "$1"}, "help": "H.", "ttl": "1m30s"}
    )
    target = mapping.resolve("counter", "a.b-c.z")
    assert target == ("map", "a_z_total", (("middle", "b-c"),), "H.", 90.0, (1.0, 2.0))
    assert mapping.resolve("counter", "a.b.c.z")[:2] == ("unmapped", "a_b_c_z")
    assert mapping.resolve("counter", "xa.b.z")[0] == "unmapped"


def test_globs_win_over_expressions_then_the_first() -> None:
    mapping = mapping_of(
        {"match": "a.*", "match_type": "regex", "name": "regex"},
        {"match": "a.*", "name": "first_${1}"},
        {"match": "a.b", "name": "second"},
    )
    assert mapping.resolve("gauge", "a.b").name == "first_b"
    assert mapping.resolve("gauge", "a.b.c").name == "regex"


def test_a_rule_for_one_type_leaves_the_others() -> None:
    mapping = mapping_of(
        {"match": r"a\.(.+)", "match_type": "regex", "match_metric_type": "counter", "name": "a_${1}_total"}
    )
    assert mapping.resolve("counter", "a.b.c").name == "a_b_c_total"
    assert mapping.resolve("gauge", "a.b.c")[:2] == ("unmapped", "a_b_c")


def test_drop_needs_no_name() -> None:
    assert mapping_of({"match": "a.b", "action": "drop"}).resolve("gauge", "a.b").action == "drop"


def test_endless_names_cost_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_SIZE", 10)
    mapping = mapping_of()
    for number in range(100):
        mapping.resolve("counter", f"n{number}")
    assert len(mapping._cache) <= 10


@pytest.mark.parametrize(
    "rule",
    [
        {"match": "a.b"},
        {"match": "a.b*", "name": "x"},
        {"match": "a..b", "name": "x"},
        {"match": "a(", "match_type": "regex", "name": "x"},
        {"match": "a.*", "match_type": "regexp", "name": "x"},
        {"match": "a.*", "name": "x_$2"},
        {"match": "a.*", "name": "$1_total"},
        {"match": "a.*", "name": "x", "labels": {"l": "$0"}},
        {"match": "a.b", "name": "x", "observer_type": "summary"},
        {"match": "a.b", "name": "x", "match_metric_type": "timer"},
        {"match": "a.b", "name": "x", "action": "keep"},
        {"match": "a.b", "name": "x", "ttl": "soon"},
        {"match": "a.b", "name": "x", "scale": 2},
        {"match": "a.b", "name": "x", "histogram_options": {"buckets": [2, 1]}},
    ],
)
def test_what_would_not_do_what_it_says_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(MappingError):
        mapping_of(rule)


@pytest.mark.parametrize(
    "document", [None, [], {"default": {}}, {"mappings": []}, {"defaults": {"observer_type": "summary"}}]
)
def test_a_document_of_another_kind_is_refused(document: Any) -> None:
    with pytest.raises(MappingError):
        parse_mapping(document)


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yml"
    path.write_text("mappings: [")
    with pytest.raises(MappingError, match=r"mapping\.yml"):
        load_mapping(path)
