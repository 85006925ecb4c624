"""The Prometheus text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, groupby

from include.metrics.receiver.series import Family, Labels, Store
from include.metrics.receiver.tally import HELP, Tally

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(store: Store, tally: Tally) -> str:
    """The whole page: every live series, then the receiver's counts about itself."""
    lines: list[str] = []
    for name, family in store.families():
        lines += head(name, family.type, family.help)
        for labels, series in sorted(family.series.items()):
            if family.type == "histogram":
                lines += _histogram(name, labels, family, series.in_bucket, series.value)
            else:
                lines.append(sample(name, labels, series.value))
    for name, rows in groupby(tally.rows(), key=lambda row: row[0]):
        lines += head(name, "counter", HELP[name])
        lines += (sample(name, ((label, value),) if label else (), count) for _, label, value, count in rows)
    lines += head("statsd_exporter_loaded_mappings", "gauge", "Rules of the mapping file.")
    lines.append(sample("statsd_exporter_loaded_mappings", (), store.mapping_size))
    lines += head("statsd_exporter_metrics_total", "gauge", "Live metrics (names with their label names), by type.")
    lines += (
        sample("statsd_exporter_metrics_total", (("type", type_),), n) for type_, n in sorted(store.shapes().items())
    )
    return "\n".join(lines) + "\n"


def head(name: str, type_: str, help_: str) -> list[str]:
    """The two lines before the samples of a family."""
    text = help_.replace("\\", r"\\").replace("\n", r"\n")
    return [f"# HELP {name} {text}", f"# TYPE {name} {type_}"]


def _histogram(name: str, labels: Labels, family: Family, in_bucket: list[int], total: float) -> Iterator[str]:
    bounds = [*(_number(bound) for bound in family.buckets), "+Inf"]
    for bound, count in zip(bounds, accumulate(in_bucket), strict=True):
        yield sample(f"{name}_bucket", (*labels, ("le", bound)), count)
    yield sample(f"{name}_sum", labels, total)
    yield sample(f"{name}_count", labels, sum(in_bucket))


def sample(name: str, labels: Labels, value: float) -> str:
    """The line of one series."""
    inner = ",".join(f'{key}="{_escape(text)}"' for key, text in labels)
    return f"{name}{{{inner}}} {_number(value)}" if inner else f"{name} {_number(value)}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
