"""The report's sections: what each says in words, in tables and in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from include.forecasting.held import share_of
from include.forecasting.p_values import p_figure
from include.forecasting.picture import Picture
from include.forecasting.report_rows import Row, SealedSeries
from include.forecasting.verify_board import FEWEST_DAYS

NONE = "-"
BASELINES_SERVED = frozenset({"naive", "har"})
DECISIONS_SHOWN = 40


@dataclass(frozen=True)
class Table:
    """A table of texts; the first cell of a row names it. nothing: said in its place where there is no row."""

    caption: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    nothing: str


@dataclass(frozen=True)
class Section:
    """A heading, what it means, and what it shows."""

    anchor: str
    title: str
    words: str
    tables: Sequence[Table]
    pictures: Sequence[Picture] = field(default=())


def status(rows: Sequence[Row]) -> Section:
    """Who is forecast now, and who is not and why."""
    told = []
    for row in rows:
        market = f"{row['venue']} {row['symbol']}, +{row['hours']:.0f} h"
        why = row["reason"] if row["state"] == "refused" else row["volatility_reason"]
        told.append(
            (
                market,
                str(row["state"]),
                str(row["volatility_state"]),
                why or NONE,
                _minute(row["refused_at"]),
                _served(row["model"], row["model_version"]),
                _age(row["model_age"]),
                _minute(row["made_at"]),
                _minute(row["target_at"]),
            )
        )
    header = (
        "market and horizon", "price", "volatility", "why not", "refused at", "who served last", "model's age",
        "newest made at", "newest is for",
    )  # fmt: skip
    refused = sum(row["state"] == "refused" for row in rows)
    words = (
        "A forecast is refused rather than made on stale or incomplete features, or by a model past its age limit. "
        f"Refused now: {refused} of {len(rows)}. Times are UTC."
    )
    table = Table("State of each market and horizon", header, told, "No forecast was ever asked for here.")
    return Section("status", "Is there a forecast?", words, [table])


def latest(series: Sequence[SealedSeries]) -> Section:
    """The newest forecast of each market and horizon, in prices and in volatility."""
    told = []
    for each in series:
        row = each.newest
        volatility = row["predicted_volatility"]
        told.append(
            (
                each.title,
                _minute(row["target_at"]),
                _price(row["as_of_price"]),
                _price(row["predicted_price"]),
                _between(_price(row["lower_price"]), _price(row["upper_price"])),
                _between(_price(row["lower_price_95"]), _price(row["upper_price_95"])),
                _percent(row["up_probability"]),
                _served(row["model"], row["model_version"]),
                _percent(volatility),
                _between(_percent(row["lower_volatility"]), _percent(row["upper_volatility"])),
                _between(_percent(row["lower_volatility_95"]), _percent(row["upper_volatility_95"])),
                _served(row["volatility_model"], row["volatility_model_version"]),
            )
        )
    header = (
        "market and horizon", "for (UTC)", "price then", "forecast", "80 % interval", "95 % interval",
        "chance of a rise", "by", "volatility of the day", "its 80 % interval", "its 95 % interval", "by",
    )  # fmt: skip
    words = (
        "Each was sealed before its target opened, and is never changed. The naive forecast says that the price stays "
        "where it is; it is served, and called by its name, wherever no model has beaten the baselines. Volatility is "
        "the root of the summed squared hourly log returns of the day ahead, in percent."
    )
    table = Table("Newest sealed forecasts", header, told, "No forecast is sealed yet.")
    return Section("latest", "Newest forecasts", words, [table])


def calibration(series: Sequence[SealedSeries]) -> list[tuple[str, ...]]:
    """Shares of outcomes that live intervals held, with their uncertainty; only of series with a scored forecast."""
    told: list[tuple[str, ...]] = []
    for each in series:
        for what, prefix in (("price", "is_covered"), ("volatility", "is_volatility_covered")):
            held = share_of(each.floats(prefix), each.horizon_bars)
            if held is None:
                continue
            held_95 = share_of(each.floats(f"{prefix}_95"), each.horizon_bars)
            row = (each.title, what, str(held.count), str(held))
            told.append((*row, str(held_95) if held_95 else NONE, str(held_95.count) if held_95 else "0"))
    return told


def scoreboard(rows: Sequence[Row]) -> Section:
    """Live skill against every baseline."""
    tables = []
    names = {"log_return": "Log returns (loss: squared error)", "volatility": "Volatility (loss: QLIKE)"}
    for target, caption in names.items():
        told = []
        for row in rows:
            if row["target"] != target:
                continue
            between = (
                f"[{row['skill_lower']:+.2%}, {row['skill_upper']:+.2%}]" if row["skill_lower"] is not None else ""
            )
            unsure = f"fewer than {FEWEST_DAYS} days" if row["days"] < FEWEST_DAYS else NONE
            told.append(
                (
                    f"{row['venue']} {row['symbol']}, +{row['horizon_bars']} h",
                    _served(row["model"], row["model_version"]),
                    str(row["baseline"]),
                    str(row["time_window"]),
                    str(row["forecasts"]),
                    f"{row['skill']:+.2%}" if row["skill"] is not None else NONE,
                    between or unsure,
                    _percent(row["direction_accuracy"]),
                    _percent(row["interval_coverage"]),
                    _percent(row["interval_coverage_95"]),
                )
            )
        header = (
            "market and horizon", "model", "against", "window", "n", "skill", "95 % interval of the skill",
            "direction right", "held by 80 %", "held by 95 %",
        )  # fmt: skip
        tables.append(Table(caption, header, told, f"{caption}: nothing is scored yet."))
    words = (
        "Skill is 1 - loss / loss of the baseline on the same forecasts: 0 is the baseline itself, below 0 is worse "
        "than it. Where the interval holds 0 there is no evidence of skill. Windows end at the newest scored target."
    )
    return Section("scoreboard", "Scoreboard", words, tables)


def promotions(rows: Sequence[Row]) -> Section:
    """Decisions who serves, with their statistics."""
    told = []
    for row in rows:
        told.append(
            (
                _minute(row["decided_at"]),
                row["registered_model"],
                str(row["decision"]).replace("_", " "),
                row["recipe"] or NONE,
                row["baseline"] or NONE,
                NONE if row["skill"] is None else f"{row['skill']:+.2%}",
                NONE if row["test_rows"] is None else str(row["test_rows"]),
                _p_value(row["p_value_over_baseline"]),
                NONE if row["tries"] is None else str(row["tries"]),
                _p_value(row["p_value_adjusted"]),
                _p_value(row["p_value_over_champion"]),
                _version(row["champion_before"]),
                _version(row["champion_after"]),
                f"{row['reason']} (by {row['decided_by']})" if row["decided_by"] else row["reason"],
            )
        )
    header = (
        "decided at (UTC)", "model", "decision", "recipe", "best baseline", "skill", "n", "p", "tries", "p x tries",
        "p against the champion", "champion before", "and after", "why",
    )  # fmt: skip
    words = (
        "A model serves only where its walk-forward forecasts beat the best baseline beyond luck, after the p value is "
        "multiplied by the number of tries, and the champion as well. p is of the one-sided test of Diebold and "
        "Mariano with a long-run variance."
    )
    table = Table(f"The newest {DECISIONS_SHOWN} decisions at most", header, told, "No model was trained yet.")
    return Section("promotions", "Who was promoted, and why not", words, [table])


def _served(model: str | None, version: str | None) -> str:
    """Who served: a baseline by its name, a model by its version."""
    return f"{model} (baseline)" if model in BASELINES_SERVED else _version(version)


def _version(version: str | None) -> str:
    return f"version {version}" if version is not None else NONE


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else NONE


def _age(age: timedelta | None) -> str:
    return f"{age / timedelta(days=1):.1f} days" if age is not None else NONE


def _price(price: float | None) -> str:
    """Six digits that count at least, none of them an exponent."""
    if price is None:
        return NONE
    return f"{price:,.2f}" if price >= 1000 else f"{price:.6g}"


def _percent(share: float | None) -> str:
    return f"{share:.1%}" if share is not None else NONE


def _p_value(value: float | None) -> str:
    return p_figure(value) if value is not None else NONE


def _between(lower: str, upper: str) -> str:
    return f"{lower} to {upper}" if lower != NONE else NONE
