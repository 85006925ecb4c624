"""Series: sums, life times, bounds, conflicts, and the page they make."""

from __future__ import annotations

from include.metrics.receiver.exposition import render
from include.metrics.receiver.line import parse_line
from include.metrics.receiver.mapping import parse_mapping
from include.metrics.receiver.series import Store
from include.metrics.receiver.tally import Tally

MAPPING = {
    "defaults": {"observer_type": "histogram", "histogram_options": {"buckets": [0.1, 1]}},
    "mappings": [
        {"match": r"g\.(.+)", "match_type": "regex", "match_metric_type": "gauge", "name": "g_$1", "ttl": "5m"},
        {"match": "noise", "action": "drop"},
    ],
}


class World:
    """A store with a clock to turn."""

    def __init__(self, max_series: int = 100) -> None:
        self.seconds = 0.0
        self.tally = Tally()
        self.store = Store(parse_mapping(MAPPING), lambda: self.seconds, max_series, self.tally)

    def feed(self, *lines: str) -> None:
        for line in lines:
            for event in parse_line(line.encode(), self.tally):
                self.store.record(event)

    def page(self) -> list[str]:
        lines = render(self.store, self.tally).splitlines()
        return [line for line in lines if "statsd_exporter" not in line and not line.startswith("#")]


def test_counters_add_up_and_gauges_replace_or_move() -> None:
    world = World()
    world.feed("c,x=1:2|c", "c,x=1:3|c", "c,x=2:1|c", "g.a:5|g", "g.a:+2|g", "g.a:-0.5|g")
    assert world.page() == ['c{x="1"} 5', 'c{x="2"} 1', "g_a 6.5"]


def test_histograms_are_cumulative_and_a_bound_belongs_to_its_bucket() -> None:
    world = World()
    world.feed("t:100|ms", "t:101|ms", "t:5000|ms|@0.5")
    assert world.page() == [
        't_bucket{le="0.1"} 1',
        't_bucket{le="1"} 2',
        't_bucket{le="+Inf"} 4',
        "t_sum 10.201",
        "t_count 4",
    ]


def test_only_series_with_a_life_time_vanish() -> None:
    world = World()
    world.feed("g.a,x=1:1|g", "g.a,x=2:1|g", "c:1|c")
    world.seconds = 200
    world.feed("g.a,x=2:1|g")
    world.seconds = 301
    assert world.page() == ["c 1", 'g_a{x="2"} 1']
    world.seconds = 900
    assert world.page() == ["c 1"]


def test_new_series_beyond_the_bound_are_refused_and_counted() -> None:
    world = World(max_series=2)
    world.feed("a:1|c", "g.b:1|g", "c:1|c", "a:1|c")
    assert world.page() == ["a 2", "g_b 1"]
    assert world.tally.get("statsd_exporter_events_error_total", "reason", "too_many_series") == 1
    world.seconds = 301
    world.feed("c:1|c")
    assert world.page() == ["a 2", "c 1"]


def test_a_name_keeps_its_type() -> None:
    world = World()
    world.feed("a:1|c", "a:5|g", "t:1|ms", "t_count:1|c", "u_sum:1|c", "u:1|ms")
    assert [line for line in world.page() if "bucket" not in line] == ["a 1", "t_sum 0.001", "t_count 1", "u_sum 1"]
    conflicts = "statsd_exporter_events_conflict_total"
    assert [world.tally.get(conflicts, "type", kind) for kind in ("gauge", "counter", "observer")] == [1, 1, 1]


def test_a_counter_cannot_fall_and_dropped_names_leave_nothing() -> None:
    world = World()
    world.feed("a:-1|c", "noise:1|c")
    assert world.page() == []
    assert world.tally.get("statsd_exporter_events_error_total", "reason", "illegal_negative_counter") == 1
    assert world.tally.get("statsd_exporter_events_actions_total", "action", "drop") == 1


def test_label_values_are_escaped() -> None:
    world = World()
    world.feed('a,x=q"b\\s:1|c')
    assert world.page() == ['a{x="q\\"b\\\\s"} 1']
