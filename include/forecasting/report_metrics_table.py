"""Figures of forecasts as Markdown: the block that the README holds between its markers."""

from __future__ import annotations

from collections.abc import Sequence

from include.forecasting.evaluation import Comparison, Figures
from include.forecasting.p_values import p_figure, p_stated
from include.forecasting.report_metrics import Coverage, KindFigures
from include.forecasting.targets import Target

BEGINS, ENDS = "<!-- report-metrics -->", "<!-- /report-metrics -->"
NAMES = {
    "random_walk": "random walk",
    "drift": "drift",
    "seasonal_hour": "seasonal hour",
    "ewma": "EWMA(0.94)",
    "har": "HAR",
}


class NoBlockError(ValueError):
    """A text has no place for the figures."""


def put_into(text: str, figures: str) -> str:
    """The text with the block between its markers replaced. Raises NoBlockError where it has not one of each."""
    if (text.count(BEGINS), text.count(ENDS)) != (1, 1) or text.index(ENDS) < text.index(BEGINS):
        raise NoBlockError(f"there is not one {BEGINS} and one {ENDS} after it")
    return text[: text.index(BEGINS)] + figures + text[text.index(ENDS) + len(ENDS) :]


def block(found: Sequence[KindFigures]) -> str:
    """Everything between the markers, markers included. found: at least one kind of one market."""
    returns = [each for each in found if each.kind.target is Target.LOG_RETURN]
    volatility = [each for each in found if each.kind.target is Target.VOLATILITY]
    first = found[0]
    parts = [
        BEGINS,
        f"Walk-forward, {first.starts_at:%Y-%m-%d} to {first.ends_at:%Y-%m-%d} (UTC), hourly; in brackets 95 % "
        "confidence intervals. Skill is 1 - loss / loss of the baseline, p is one-sided (Diebold and Mariano); p x "
        "tries is against the best baseline, and has to be below 0.05 for a model to serve.",
    ]
    if returns:
        parts += ["**Returns** (loss: squared error)", _returns(returns), _errors(returns)]
    if volatility:
        parts += ["**Volatility of the next 24 hours** (loss: QLIKE)", _volatility(volatility), _errors(volatility)]
    parts += [
        "**Intervals** of what is served, by online conformal calibration. Width: mean, beside quantiles of the year "
        "before, of the same rows; in brackets what those held.",
        _intervals(found),
        ENDS,
    ]
    return "\n\n".join(parts)


def _returns(found: Sequence[KindFigures]) -> str:
    references = ("random_walk", "drift", "seasonal_hour")
    header = ["market", "ahead", "n", "best recipe", *(f"skill over {NAMES[each]}" for each in references)]
    rows = []
    for each in found:
        overall = _overall(each)
        row = [each.market, f"{each.kind.horizon_bars} h", f"{overall.count:,}", each.recipe]
        row += [_skill(overall.against[name]) for name in references]
        rows.append([*row, _direction(overall), *_decided(each)])
    return _table([*header, "direction right", "p x tries", "served"], rows)


def _volatility(found: Sequence[KindFigures]) -> str:
    rows = []
    for each in found:
        overall = _overall(each)
        losses = [each.evaluations[name].overall.loss for name in (each.recipe, "ewma", "har")]
        row = [each.market, f"{overall.count:,}", each.recipe, " / ".join(f"{loss:.4f}" for loss in losses)]
        row += [_skill(overall.against[name]) for name in ("ewma", "har")]
        rows.append([*row, *_decided(each)])
    header = ("market", "n", "best recipe", "QLIKE: recipe / EWMA / HAR", "skill over EWMA(0.94)", "skill over HAR")
    return _table([*header, "p x tries", "served"], rows)


def _errors(found: Sequence[KindFigures]) -> str:
    """Errors in percent, of the best recipe and of each baseline."""
    rows = []
    for each in found:
        names = [each.recipe, *(name for name in each.evaluations if name != each.recipe)]
        row = [each.market, f"{each.kind.horizon_bars} h"]
        row.append(" / ".join(NAMES.get(name, name) for name in names))
        overall = [each.evaluations[name].overall for name in names]
        row.append(" / ".join(f"{100 * figures.mae:.4f}" for figures in overall))
        row.append(" / ".join(f"{100 * figures.rmse:.4f}" for figures in overall))
        row.append(" / ".join("-" if not f.intervals else f"{100 * f.intervals.crps:.4f}" for f in overall))
        rows.append(row)
    return _table(["market", "ahead", "forecasters", "MAE, %", "RMSE, %", "CRPS, %"], rows)


def _intervals(found: Sequence[KindFigures]) -> str:
    rows = []
    for each in found:
        what = "return" if each.kind.target is Target.LOG_RETURN else "volatility"
        row = [each.market, f"{what}, {each.kind.horizon_bars} h", NAMES.get(each.served, each.served)]
        row.append(f"{each.interval_rows:,}")
        for coverage in each.coverages:
            row += [str(coverage.held), _worst(coverage), f"{coverage.width - 1:+.1%} ({coverage.historical:.1%})"]
        rows.append([*row, f"{each.crps / each.historical_crps - 1:+.1%}"])
    header = ["market", "of", "served", "n"]
    for nominal in (80, 95):
        header += [f"{nominal} % held", "worst quarter", "width beside quantiles"]
    return _table([*header, "CRPS beside quantiles"], rows)


def _overall(each: KindFigures) -> Figures:
    return each.evaluations[each.recipe].overall


def _skill(found: Comparison) -> str:
    skill = found.skill
    return f"{skill.value:+.2%} [{skill.lower:+.2%}, {skill.upper:+.2%}], {p_stated(found.test.p_value)}"


def _direction(figures: Figures) -> str:
    found = figures.direction
    return f"{found.accuracy:.1%} [{found.lower:.1%}, {found.upper:.1%}]" if found else "none named"


def _decided(each: KindFigures) -> tuple[str, str]:
    return p_figure(each.challenger.p_value_adjusted), NAMES.get(each.served, each.served)


def _worst(coverage: Coverage) -> str:
    return f"{coverage.worst_share:.1%} ({coverage.worst_quarter})"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
