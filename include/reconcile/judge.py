"""The verdict on every candle of every panel: agree, quote basis, outlier or missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from include.reconcile import thresholds as t
from include.reconcile.basis import common_moves, less_moves, quote_levels
from include.reconcile.blame import blame
from include.reconcile.model import Finding, Floats, Mask, Panel
from include.reconcile.own import impossible_average, impossible_prices, stale
from include.reconcile.pairs import Measure, Pairs, pairs_of
from include.reconcile.volumes import volumes
from include.reconcile.wicks import wicks

# Of several verdicts and reasons for one candle the foremost is kept.
VERDICTS = ("missing", "outlier", "quote_basis")
REASONS = (
    "absent",
    "impossible_prices",
    "impossible_average",
    "level",
    "stale",
    "time_shift",
    "column_order",
    "close",
    "open",
    "slip",
    "high",
    "low",
    "volume_unit",
    "volume",
    "quote_level",
)


@dataclass
class Judged:
    """What is said of a panel's candles; compared [row, column]: a candle stands beside one of another venue."""

    pairs: Pairs
    compared: Mask
    findings: dict[tuple[int, int], Finding] = field(default_factory=dict)

    @property
    def panel(self) -> Panel:
        return self.pairs.panel

    def accuse(self, finding: Finding) -> None:
        """Keep the finding unless a graver or more telling one stands at its place already."""
        key = (finding.row, finding.column)
        held = self.findings.get(key)
        if held is None or _order(finding) < _order(held):
            self.findings[key] = finding


def _order(finding: Finding) -> tuple[int, bool, int]:
    return VERDICTS.index(finding.verdict), len(finding.suspects) > 1, REASONS.index(finding.reason)


def judge(panels: Sequence[Panel]) -> list[Judged]:
    """Judge panels of several base coins that share one grid: the move of a quote shows in all of them.

    The verdict on a row depends on the CONTEXT rows before it and the LOOKAHEAD rows after it, twice over (the usual
    distance, and how much it usually varies), and on no others.
    """
    judged = [Judged(pairs_of(panel), _compared(panel)) for panel in panels]
    cases = [each.pairs for each in judged]
    for each in judged:
        _judge_alone(each)
        for finding in (*wicks(each.pairs), *volumes(each.panel)):
            each.accuse(finding)
        for measure in (each.pairs.slip, each.pairs.shift, each.pairs.columns):
            for row in map(int, np.flatnonzero(measure.bad.any(axis=0))):
                for finding in blame(cases, each.pairs, measure, row, measure.distance[:, row]):
                    each.accuse(finding)
        _judge_absence(each)
    for each, level in zip(judged, quote_levels(cases), strict=True):
        _judge_levels(each, level)
    for name in ("close", "open"):
        _judge_prices(judged, cases, name)
    return judged


def _compared(panel: Panel) -> Mask:
    present = panel.present
    venues = [instrument.venue for instrument in panel.instruments]
    columns = [
        present[:, column] & present[:, [k for k, venue in enumerate(venues) if venue != own]].any(axis=1)
        for column, own in enumerate(venues)
    ]
    return np.column_stack(columns)


def _judge_alone(each: Judged) -> None:
    for reason, mask in (
        ("impossible_prices", impossible_prices(each.panel)),
        ("impossible_average", impossible_average(each.panel)),
        ("stale", stale(each.panel)),
    ):
        for column, row in np.argwhere(mask).tolist():
            each.accuse(Finding(row, column, "outlier", reason, np.nan, np.nan, (column,), np.nan))


def _judge_prices(judged: Sequence[Judged], cases: Sequence[Pairs], name: str) -> None:
    measures: list[Measure] = [getattr(pairs, name) for pairs in cases]
    suspicious = np.any([measure.bad.any(axis=0) for measure in measures], axis=0)
    for row in map(int, np.flatnonzero(suspicious)):
        moves = common_moves(cases, measures, row)
        for each, measure in zip(judged, measures, strict=True):
            distance = less_moves(each.pairs, measure, row, moves)
            for finding in blame(cases, each.pairs, measure, row, distance):
                each.accuse(finding)
            eased = measure.bad[:, row] & ~(np.abs(distance) > measure.threshold[:, row])
            for column, instrument in enumerate(each.panel.instruments):
                move = max((v for (quote, _), v in moves.items() if quote == instrument.quote), key=abs, default=0.0)
                places = [p for p, pair in enumerate(each.pairs.index) if column in pair and eased[p]]
                if move and places:
                    limit = float(measure.threshold[places, row].max())
                    each.accuse(Finding(row, column, "quote_basis", name, move, limit, (column,), move))


def _judge_levels(each: Judged, level: Floats) -> None:
    """Name a quote that lies far from its numeraire, suddenly or for long."""
    with np.errstate(invalid="ignore"):
        far = (np.abs(level) > t.BASIS) & (np.abs(level) <= t.LEVEL) & each.panel.present.T
    for column, row in np.argwhere(far).tolist():
        basis = float(level[column, row])
        each.accuse(Finding(row, column, "quote_basis", "quote_level", basis, t.BASIS, (column,), basis))


def _judge_absence(each: Judged) -> None:
    present = each.panel.present
    venues = [instrument.venue for instrument in each.panel.instruments]
    for column, own in enumerate(venues):
        elsewhere = present[:, [k for k, venue in enumerate(venues) if venue != own]].any(axis=1)
        lacking = each.panel.expected[:, column] & ~present[:, column] & elsewhere
        for row in np.flatnonzero(lacking).tolist():
            each.accuse(Finding(row, column, "missing", "absent", np.nan, np.nan, (column,), np.nan))
