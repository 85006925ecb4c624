"""The receiver's counts about itself, under the names statsd_exporter gives them."""

from __future__ import annotations

from collections import Counter

HELP = {
    "statsd_exporter_udp_packets_total": "UDP packets received.",
    "statsd_exporter_udp_packet_drops_total": "UDP packets dropped because too many waited.",
    "statsd_exporter_lines_total": "StatsD lines received.",
    "statsd_exporter_samples_total": "Samples received; a line may carry several.",
    "statsd_exporter_sample_errors_total": "Lines and samples that could not be read, by reason.",
    "statsd_exporter_tags_total": "Samples that carried tags.",
    "statsd_exporter_tag_errors_total": "Tags that could not be read.",
    "statsd_exporter_events_total": "Events that reached a series, by type.",
    "statsd_exporter_events_actions_total": "Events a mapping rule matched, by what it did.",
    "statsd_exporter_events_unmapped_total": "Events no mapping rule matched; they keep their own name.",
    "statsd_exporter_events_conflict_total": "Events refused as their name belongs to another type.",
    "statsd_exporter_events_error_total": "Events refused, by reason.",
}


class Tally:
    """Counters by name and at most one label; not safe for several threads, the receiver locks around it."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def add(self, name: str, label: str = "", value: str = "", by: int = 1) -> None:
        """Raise a counter; an undeclared name is a KeyError."""
        if name not in HELP:
            raise KeyError(name)
        self._counts[name, label, value] += by

    def get(self, name: str, label: str = "", value: str = "") -> int:
        return self._counts[name, label, value]

    def rows(self) -> list[tuple[str, str, str, int]]:
        """(name, label, label value, count) in order of names; a counter that never moved is 0, without a label."""
        labelled = {name for name, label, _ in self._counts if label}
        silent = [(name, "", "", 0) for name in HELP if name not in labelled and (name, "", "") not in self._counts]
        return sorted([(*key, count) for key, count in self._counts.items()] + silent)
