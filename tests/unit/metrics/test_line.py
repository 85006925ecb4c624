"""Reading of StatsD lines."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.metrics.receiver.line import Event, escape, parse_line
from include.metrics.receiver.tally import Tally

ERRORS = "statsd_exporter_sample_errors_total"


def parsed(line: bytes) -> tuple[list[Event], Tally]:
    tally = Tally()
    return parse_line(line, tally), tally


@pytest.mark.parametrize(
    ("line", "events"),
    [
        (b"a.b:1|c", [Event("counter", "a.b", {}, 1.0)]),
        (b"a.b:3|c|@0.5", [Event("counter", "a.b", {}, 6.0)]),
        (b"a.b:250|ms", [Event("observer", "a.b", {}, 0.25)]),
        (b"a.b:250|ms|@0.25", [Event("observer", "a.b", {}, 0.25, weight=4)]),
        (b"a.b:2|h", [Event("observer", "a.b", {}, 2.0)]),
        (b"a.b:2|g", [Event("gauge", "a.b", {}, 2.0)]),
        (b"a.b:-2|g", [Event("gauge", "a.b", {}, -2.0, relative=True)]),
        (b"a.b:+.5e1|g", [Event("gauge", "a.b", {}, 5.0, relative=True)]),
        (b"a.b:1|c:2|g", [Event("counter", "a.b", {}, 1.0), Event("gauge", "a.b", {}, 2.0)]),
        (b"a,x=1,y-z=load.upsert:1|c", [Event("counter", "a", {"x": "1", "y_z": "load.upsert"}, 1.0)]),
        ("a,x=\u00fc:1|c".encode(), [Event("counter", "a", {"x": "\u00fc"}, 1.0)]),
        (b"a,x=1,:1|c", [Event("counter", "a", {"x": "1"}, 1.0)]),
        (b"a#x=1,y=2:1|c", [Event("counter", "a", {"x": "1", "y": "2"}, 1.0)]),
        (b"a[x=1,y=2].b:1|c", [Event("counter", "a.b", {"x": "1", "y": "2"}, 1.0)]),
        (b"a:1|c|#x:1,y:2", [Event("counter", "a", {"x": "1", "y": "2"}, 1.0)]),
        (b"a:4|ms|@0.5|#x:1:2", [Event("observer", "a", {"x": "1:2"}, 0.004, weight=2)]),
        (b"a:1:2|ms|#x:1", [Event("observer", "a", {"x": "1"}, n / 1000) for n in (1, 2)]),
        (b"", []),
    ],
)
def test_good_lines(line: bytes, events: list[Event]) -> None:
    found, tally = parsed(line)
    assert found == events
    assert not any(count for name, *_, count in tally.rows() if "error" in name)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "malformed_line"),
        (b":1|c", "malformed_line"),
        (b"a\xff:1|c", "malformed_line"),
        (b"a:1", "not_enough_parts_after_colon"),
        (b"a,x=1:1|c|#y:2", "mixed_tagging_styles"),
        (b"a:1:2|c", "invalid_extended_aggregate_type"),
        (b"a:1|", "illegal_event"),
        (b"a:1|c|", "malformed_component"),
        (b"a:1|c|@1|x|y", "malformed_component"),
        (b"a:one|c", "malformed_value"),
        (b"a:nan|c", "malformed_value"),
        (b"a:inf|g", "malformed_value"),
        (b"a:1e999|g", "malformed_value"),
        (b"a:1_0|c", "malformed_value"),
        (b"a:1|s", "illegal_event"),
        (b"a:1|q", "illegal_event"),
    ],
)
def test_bad_lines_are_counted_and_left_out(line: bytes, reason: str) -> None:
    found, tally = parsed(line)
    assert found == []
    assert tally.get(ERRORS, "reason", reason) == 1


@pytest.mark.parametrize("rate", [b"@0", b"@2", b"@-1", b"@x", b"tag:1", b"@1e-9"])
def test_a_rate_that_is_none_is_counted(rate: bytes) -> None:
    found, tally = parsed(b"a:4|ms|" + rate)
    assert [event.weight for event in found] == [1]
    assert tally.get(ERRORS, "reason", "invalid_sample_factor") == 1


def test_a_bad_tag_is_dropped_and_the_sample_kept() -> None:
    found, tally = parsed(b"a,x=,=y,z,,ok=1:1|c")
    assert [event.labels for event in found] == [{"ok": "1"}]
    assert tally.get("statsd_exporter_tag_errors_total") == 4


@pytest.mark.parametrize("line", [b"a[x=1:1|c", b"a]x=1[:1|c", b"a:1|c|#nothing", b"a:1|c|#:x"])
def test_tags_that_cannot_be_read_are_counted(line: bytes) -> None:
    found, tally = parsed(line)
    assert [event.labels for event in found] == [{}]
    assert tally.get("statsd_exporter_tag_errors_total") == 1


def test_names_become_legal() -> None:
    assert escape("a.b-c/d e") == "a_b_c_d_e"
    assert escape("1h") == "_1h"


@given(st.binary(max_size=200))
def test_no_packet_can_raise(line: bytes) -> None:
    for event in parsed(line)[0]:
        assert math.isfinite(event.value)
        assert 1 <= event.weight <= 1_000_000
