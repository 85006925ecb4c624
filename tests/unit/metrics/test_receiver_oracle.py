"""The receiver against the recorded page of the real statsd_exporter, fed the same recorded packets of Airflow."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from include.metrics.receiver.mapping import Mapping, Target, load_mapping
from include.metrics.receiver.server import Receiver

ROOT = Path(__file__).parents[3]
# What only the original has: its build, its TCP and unix listeners, its queue and cache.
OF_THE_ORIGINAL = re.compile(
    r"statsd_exporter_(build_info|tcp_|unixgram_|event_queue)|statsd_metric_mapper_cache|go_|process_"
)
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")


def read_page(text: str) -> tuple[dict[tuple[str, str], float], dict[str, str]]:
    """Values by (name, labels), and types by name."""
    lines = [line for line in text.splitlines() if line]
    types = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE"))
    found = [SAMPLE.fullmatch(line) for line in lines if not line.startswith("#")]
    values = {(each[1], each[2] or ""): float(each[3]) for each in found if each}
    assert len(values) == len(found)
    return values, types


def page_of(mapping: Mapping, stream: Path) -> str:
    receiver = Receiver(mapping, host="127.0.0.1", statsd_port=0, http_port=0, max_series=10_000, monotonic=lambda: 0.0)
    with receiver, gzip.open(stream, "rb") as packets:
        for line in packets:
            receiver.feed(line.rstrip(b"\n").split(b"\t", 1)[1])
        return receiver.page()


@pytest.fixture(scope="module")
def streams(market_data_dir: Path) -> Path:
    return market_data_dir / "airflow_statsd"


def test_agrees_with_statsd_exporter_to_the_bit(streams: Path) -> None:
    ours, our_types = read_page(
        page_of(load_mapping(streams / "mapping_used.yml"), streams / "airflow332_influx_tags.udp.gz")
    )
    with gzip.open(streams / "expected_statsd_exporter_0.23.0.prom.gz", "rt") as page:
        oracle, oracle_types = read_page(page.read())
    oracle = {key: value for key, value in oracle.items() if not OF_THE_ORIGINAL.match(key[0])}
    oracle_types = {name: type_ for name, type_ in oracle_types.items() if not OF_THE_ORIGINAL.match(name)}
    assert len(oracle) > 350
    assert {key: ours.get(key) for key in oracle} == oracle
    assert {name: our_types.get(name) for name in oracle_types} == oracle_types
    errors = {"sample_errors", "events_conflict", "events_error", "udp_packet_drops"}
    assert {name for name, _ in ours.keys() - oracle.keys()} == {f"statsd_exporter_{error}_total" for error in errors}


def test_the_stream_of_airflows_default_names_adds_up(streams: Path) -> None:
    """There is no recorded page for it: counted again by other means, name by name, as no rule changes a name."""
    counts: dict[str, float] = {}
    with gzip.open(streams / "airflow332_default_names.udp.gz", "rt") as packets:
        lines = [line.rstrip("\n").split("\t", 1)[1] for line in packets]
    for line in lines:
        name, value, kind = re.fullmatch(r"([^:,]+):([^|]+)\|(c|g|ms)", line).groups()  # type: ignore[union-attr]
        name = re.sub(r"\W", "_", name)
        if kind == "ms":
            counts[f"{name}_count"] = counts.get(f"{name}_count", 0) + 1
            counts[f"{name}_sum"] = counts.get(f"{name}_sum", 0) + float(value) / 1000
        else:
            counts[name] = float(value) + (counts.get(name, 0) if kind == "c" or value[0] in "+-" else 0)
    assert len(lines) > 7000
    ours, _ = read_page(
        page_of(Mapping([], Target("unmapped", "", (), "", 0.0, (1.0,))), streams / "airflow332_default_names.udp.gz")
    )
    shown = {name: value for (name, labels), value in ours.items() if not labels}
    assert {name: shown[name] for name in counts} == pytest.approx(counts)
    assert shown["statsd_exporter_lines_total"] == shown["statsd_exporter_udp_packets_total"] == len(lines)
    assert shown["statsd_exporter_events_unmapped_total"] == len(lines)
    assert {shown[f"statsd_exporter_{what}_total"] for what in ("sample_errors", "events_conflict", "tag_errors")} == {
        0
    }


def test_the_committed_mapping_gives_the_same_airflow_metrics(streams: Path) -> None:
    stream = streams / "airflow332_influx_tags.udp.gz"
    ours, _ = read_page(page_of(load_mapping(ROOT / "deploy/statsd/mapping.yml"), stream))
    used, _ = read_page(page_of(load_mapping(streams / "mapping_used.yml"), stream))
    assert {key: value for key, value in ours.items() if key[0].startswith("airflow_")} == {
        key: value for key, value in used.items() if key[0].startswith("airflow_")
    }
