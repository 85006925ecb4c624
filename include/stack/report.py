"""What the demo did, for a person at a terminal: history, coverage, features, models against naive, forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from include.coverage.equation import coverage
from include.forecasting.p_values import p_figure
from include.warehouse.connection import Connection
from include.warehouse.sql import statement
from include.warehouse.world import world_of


def print_report(connection: Connection, now: datetime, seconds: float) -> None:
    """Print every section; figures come from the warehouse alone."""
    world = world_of(connection)
    warning = "   SYNTHETIC: seeded random walks, not real prices" if world == "synthetic" else ""
    print(
        f"\n{'=' * 100}\n{world} world at {now:%Y-%m-%d %H:%M} UTC, pipeline took {seconds:.0f} s{warning}\n{'=' * 100}"
    )
    _coverage(connection, now)
    _features(connection)
    _others(connection)
    _models(connection)
    _forecasts(connection)


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A title and aligned columns; says so where there is no row."""
    print(f"\n{title}")
    if not rows:
        print("  none")
        return
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _coverage(connection: Connection, now: datetime) -> None:
    rows = []
    for series in coverage(connection, now):
        equation = series.equation
        unknown = ", ".join(f"{each.span.start:%Y-%m-%d %H:%M} ({each.candles})" for each in series.unknown[:3])
        more = f" and {len(series.unknown) - 3} more" if len(series.unknown) > 3 else ""
        explained = equation.empty + equation.outage + equation.out_of_reach
        figures = (equation.expected, equation.observed, explained, equation.pending, equation.unknown)
        rows.append([f"{series.venue} {series.symbol}", series.timeframe, series.extent or "-", *figures])
        rows[-1] += [f"{series.held_ratio:.4%}", (unknown or "-") + more]
    table(
        "candles: expected = observed + explained (empty, outage, out of reach) + pending + unknown",
        (
            "market",
            "timeframe",
            "from first candle or answer to now (UTC)",
            "expected",
            "observed",
            "explained",
            "pending",
            "unknown",
            "held",
            "unknown (candles)",
        ),
        rows,
    )


def _features(connection: Connection) -> None:
    found = connection.execute(statement("report/features.sql")).fetchall()
    rows = [(market, timeframe, n, f"{newest:%Y-%m-%d %H:%M}") for market, timeframe, n, newest in found]
    table("features (view crypto_prices)", ("market", "timeframe", "rows", "newest candle (UTC)"), rows)


def _others(connection: Connection) -> None:
    rows = connection.execute(statement("report/row_counts.sql")).fetchall()
    table("other tables", ("table", "rows"), rows)


def _models(connection: Connection) -> None:
    rows = []
    for row in connection.execute(statement("report/models.sql")):
        (
            market,
            target,
            horizon,
            recipe,
            baseline,
            skill,
            tries,
            p_value,
            hit,
            low,
            high,
            *shares,
            decision,
            champion,
        ) = row
        direction = "-" if hit is None else f"{hit:.1%} [{low:.1%}, {high:.1%}]"
        held = " and ".join("-" if share is None else f"{share:.1%}" for share in shares)
        served = "the baseline" if champion is None else f"version {champion}"
        figures = (recipe, baseline, f"{skill:+.4f}", p_figure(p_value), str(tries), direction, held)
        rows.append((market, target, f"+{horizon} h", *figures, decision, served))
    table(
        "models against the best baseline, walk-forward (skill 0 = the baseline; p corrected for the tries)",
        (
            "market",
            "target",
            "horizon",
            "best recipe",
            "best baseline",
            "skill",
            "p",
            "tries",
            "direction [95 %]",
            "80 % and 95 % intervals held",
            "decision",
            "served",
        ),
        rows,
    )


def _forecasts(connection: Connection) -> None:
    rows = []
    for row in connection.execute(statement("report/forecasts.sql")):
        coin, target, hours, price, predicted, *intervals = row[:9]
        moves, low, high, version, volatility_model, volatility_version, made_at = row[9:]
        held = [
            "-" if lower is None else f"{float(lower):.2f} to {float(upper):.2f}"
            for lower, upper in (intervals[:2], intervals[2:])
        ]
        prices = (f"{float(price):.2f}", f"{float(predicted):.2f}", *held)
        moving = (
            "-"
            if moves is None
            else f"{moves:.1%} ({low:.1%} to {high:.1%}), "
            + (volatility_model if volatility_version is None else f"version {volatility_version}")
        )
        model = "naive" if version is None else f"version {version}"
        rows.append((coin, f"+{hours} h", f"{target:%Y-%m-%d %H:%M}", *prices, model, moving, f"{made_at:%H:%M:%S}"))
    table(
        "newest sealed forecasts (view predictions)",
        (
            "coin",
            "horizon",
            "for (UTC)",
            "price now",
            "forecast",
            "80 % interval",
            "95 % interval",
            "model",
            "volatility (95 %)",
            "made at",
        ),
        rows,
    )
