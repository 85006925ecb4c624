"""Forecasts: are they there, are they worth anything, and who makes them."""

from __future__ import annotations

from include.metrics.panel import Board, Variable, chart, number, zero_is_well

HOUR, DAY = 3600, 86400
PER_HORIZON = 'symbol=~"$symbol", horizon=~"$horizon"'
SERVED = f'{PER_HORIZON}, target=~"$target"'
NOT_YET = "No outcome has come yet."

NOW = (
    number(
        "Forecasts for a time to come",
        "percentunit",
        "Share of markets and horizons whose newest sealed forecast is of a time still to come.",
        f"avg(crypto_forecast_newest_target_timestamp_seconds{{{PER_HORIZON}}} > bool time())",
        ((0.99, "green"),),
        below="red",
        runbooks=("forecasts-stale",),
    ),
    number(
        "Nearest end of a forecast",
        "s",
        "Time until the first of the newest forecasts is of the past; below 0 it already is.",
        f"min(crypto_forecast_newest_target_timestamp_seconds{{{PER_HORIZON}}}) - time()",
        ((0, "orange"), (600, "green")),
        below="red",
        runbooks=("forecasts-stale",),
    ),
    number(
        "Refused in a day",
        "none",
        "The view forecast_status says why in a sentence.",
        'sum(increase(crypto_forecast_refusals_total{target=~"$target"}[1d]))',
        zero_is_well("orange"),
        runbooks=("forecasts-refused",),
    ),
    number(
        "Served worse than naive",
        "none",
        "Served forecasts whose skill is below 0 beyond luck.",
        f"sum(crypto_forecast_skill_upper_ratio{{{SERVED}}} < bool 0)",
        zero_is_well(),
        runbooks=("forecast-worse-than-naive",),
        empty=NOT_YET,
    ),
    number(
        "Lowest coverage of 80 % intervals",
        "percentunit",
        "Share of outcomes that the interval held. Between 70 and 90 %.",
        f'min(crypto_forecast_coverage_ratio{{{SERVED}, interval="80"}})',
        ((0.7, "green"), (0.9, "orange")),
        below="red",
        runbooks=("intervals-miscalibrated",),
        empty=NOT_YET,
    ),
    number(
        "Oldest training",
        "s",
        "Weekly, on Sundays.",
        f"time() - min(crypto_model_trained_timestamp_seconds{{{SERVED}}})",
        ((8 * DAY, "orange"), (14 * DAY, "red")),
        runbooks=("model-old",),
    ),
)

SERVED_NOW = (
    chart(
        "Time to the newest target",
        "s",
        "A saw tooth above 0: there is a forecast of a time still to come.",
        (f"crypto_forecast_newest_target_timestamp_seconds{{{PER_HORIZON}}} - time()", "{{symbol}} {{horizon}}"),
        runbooks=("forecasts-stale",),
    ),
    chart(
        "Forecasts, per hour",
        "none",
        "`written` each hour for every market and horizon.",
        ("sum by (result) (increase(crypto_forecast_rows_total[1h]))", "{{result}}"),
    ),
    chart(
        "Refused forecasts, per hour",
        "none",
        "None. The view forecast_status says why in a sentence.",
        (
            'sum by (target, reason) (increase(crypto_forecast_refusals_total{target=~"$target"}[1h]))',
            "{{target}} {{reason}}",
        ),
        runbooks=("forecasts-refused",),
    ),
)

WORTH = (
    chart(
        "Skill over the random walk; of volatility: over EWMA",
        "percentunit",
        "Over 90 days, of who is served. 0 where the naive forecast is; a model stays above.",
        (f"crypto_forecast_skill_ratio{{{SERVED}}}", "{{symbol}} {{horizon}} {{target}}"),
        runbooks=("forecast-worse-than-naive",),
        empty=NOT_YET,
    ),
    chart(
        "The most that the skill may be",
        "percentunit",
        "Upper end of its 95 % confidence interval. Below 0 it is worse than naive beyond luck.",
        (f"crypto_forecast_skill_upper_ratio{{{SERVED}}}", "{{symbol}} {{horizon}} {{target}}"),
        runbooks=("forecast-worse-than-naive",),
        empty=NOT_YET,
    ),
    chart(
        "Outcomes that intervals held",
        "percentunit",
        "Near 80 % and near 95 %.",
        (f"crypto_forecast_coverage_ratio{{{SERVED}}}", "{{symbol}} {{horizon}} {{target}} {{interval}} %"),
        runbooks=("intervals-miscalibrated",),
        empty=NOT_YET,
    ),
)

TRAINING = (
    chart(
        "Age of the last training",
        "s",
        "A saw tooth of a week.",
        (f"time() - crypto_model_trained_timestamp_seconds{{{SERVED}}}", "{{symbol}} {{target}} {{horizon}}"),
        steps=((14 * DAY, "red"),),
        runbooks=("model-old",),
    ),
    chart(
        "Trainings, per day",
        "none",
        "`naive` is a valid decision: no model beat it.",
        (
            f"sum by (symbol, target, horizon, decision) (increase(crypto_model_trainings_total{{{SERVED}}}[1d]))",
            "{{symbol}} {{target}} {{horizon}} {{decision}}",
        ),
    ),
)

BOARD = Board(
    "forecasts",
    "Forecasts",
    "Are they there, are they worth anything, and who makes them.",
    {"Now": NOW, "Served": SERVED_NOW, "Worth": WORTH, "Training": TRAINING},
    tuple(Variable(label, "crypto_model_trained_timestamp_seconds") for label in ("symbol", "horizon", "target")),
)
