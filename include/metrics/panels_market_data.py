"""Quality of the market data: fresh, complete, agreeing, and what became of them."""

from __future__ import annotations

from include.metrics.panel import Board, Variable, chart, number, zero_is_well

HOUR, DAY = 3600, 86400
SERIES = 'venue=~"$venue", symbol=~"$symbol", timeframe=~"$timeframe"'
MARKET = 'venue=~"$venue", symbol=~"$symbol"'

NOW = (
    number(
        "Oldest newest hourly candle",
        "s",
        "Of the markets chosen above, the one whose newest closed hour is oldest. Below an hour and a few minutes.",
        f'time() - min(crypto_candle_newest_close_timestamp_seconds{{{MARKET}, timeframe="1h"}})',
        ((5400, "orange"), (2 * HOUR, "red")),
        runbooks=("candles-stale", "candle-freshness-unknown"),
    ),
    number(
        "Candles nobody can account for",
        "none",
        "0: each expected candle is held or explained.",
        f"sum(crypto_coverage_unknown{{{SERIES}}})",
        zero_is_well("orange"),
        runbooks=("candles-unknown",),
    ),
    number(
        "Lowest share held",
        "percentunit",
        "Of the expected candles of a series. What is not held is explained, or counted on the left.",
        f"min(crypto_coverage_held_ratio{{{SERIES}}})",
        ((0.99, "orange"), (0.999, "green")),
        below="red",
    ),
    number(
        "Age of the count",
        "s",
        "When the two figures on the left were counted.",
        "time() - crypto_coverage_counted_timestamp_seconds",
        ((2 * HOUR, "orange"), (DAY, "red")),
    ),
    number(
        "Rows quarantined in a day",
        "none",
        "Rows that failed validation; the table market.quarantine has them with their reasons.",
        'sum(increase(crypto_ingest_rows_total{result="quarantined"}[1d]))',
        zero_is_well("orange"),
        runbooks=("rows-quarantined",),
    ),
    number(
        "Outliers in a day",
        "none",
        "Candles that stand apart from those of all other venues.",
        f'sum(increase(crypto_reconcile_candles_total{{{MARKET}, verdict="outlier"}}[1d]))',
        zero_is_well("orange"),
        runbooks=("venues-disagree",),
    ),
    number(
        "Failed checks in a day",
        "none",
        "Of stored features and of the tables of the schema mart.",
        "sum(increase(crypto_check_failures_total[1d]))",
        zero_is_well(),
        runbooks=("checks-failing",),
    ),
    number(
        "Age of the Fear & Greed index",
        "s",
        "Published daily; within two days.",
        "time() - crypto_sentiment_newest_timestamp_seconds",
        ((2 * DAY, "orange"), (3 * DAY, "red")),
        runbooks=("sentiment-stale",),
    ),
)

FRESHNESS = (
    chart(
        "Age of the newest candle",
        "s",
        "A saw tooth below two timeframes.",
        (f"time() - crypto_candle_newest_close_timestamp_seconds{{{SERIES}}}", "{{venue}} {{symbol}} {{timeframe}}"),
        runbooks=("candles-stale",),
    ),
    chart(
        "Age of the newest ticker",
        "s",
        "Below ten minutes.",
        (f"time() - crypto_ticker_newest_timestamp_seconds{{{MARKET}}}", "{{venue}} {{symbol}}"),
        steps=((900, "red"),),
    ),
    chart(
        "Features behind candles",
        "s",
        "0 but for the minutes in which features are computed.",
        (
            f"crypto_candle_newest_close_timestamp_seconds{{{SERIES}}}"
            f" - on (venue, symbol, timeframe) crypto_feature_newest_close_timestamp_seconds{{{SERIES}}}",
            "{{venue}} {{symbol}} {{timeframe}}",
        ),
        steps=((2 * HOUR, "red"),),
        runbooks=("features-behind",),
    ),
)

COMPLETENESS = (
    chart(
        "Candles nobody can account for",
        "none",
        "0: each expected candle is held or explained.",
        (f"crypto_coverage_unknown{{{SERIES}}}", "{{venue}} {{symbol}} {{timeframe}}"),
        steps=((1, "orange"),),
        runbooks=("candles-unknown",),
    ),
    chart(
        "Share of the expected candles that is held",
        "percentunit",
        "Near 100 %; what is missing is explained.",
        (f"crypto_coverage_held_ratio{{{SERIES}}}", "{{venue}} {{symbol}} {{timeframe}}"),
    ),
    chart(
        "Markets that are configured",
        "none",
        "1. A market at 0 was taken out of the settings: its rows stay, and nothing more comes.",
        (f"crypto_market_configured{{{MARKET}}}", "{{venue}} {{symbol}}"),
    ),
    chart(
        "Candles compared across venues, per day",
        "none",
        "`agree`. `quote_basis` is a stablecoin off its peg, `outlier` an alert.",
        (
            f"sum by (venue, symbol, verdict) (increase(crypto_reconcile_candles_total{{{MARKET}}}[1d]))",
            "{{venue}} {{symbol}} {{verdict}}",
        ),
        runbooks=("venues-disagree",),
    ),
)

WRITTEN = (
    chart(
        "Rows read from sources, per hour",
        "short",
        "`new` each hour; `changed` are revisions by a venue, `quarantined` failed validation.",
        ("sum by (dataset, result) (increase(crypto_ingest_rows_total[1h]))", "{{dataset}} {{result}}"),
        runbooks=("rows-quarantined",),
    ),
    chart(
        "Feature rows, per hour",
        "short",
        "A few rows each hour; a repair shows as a burst of `changed`.",
        ("sum by (result) (increase(crypto_feature_rows_total[1h]))", "{{result}}"),
    ),
    chart(
        "Failed checks, per hour",
        "none",
        "None. The task's error names market, column and hour.",
        ("sum by (check) (increase(crypto_check_failures_total[1h]))", "{{check}}"),
        runbooks=("checks-failing",),
    ),
    chart(
        "Rows of the schema mart, per hour",
        "short",
        "A few new rows each hour. `changed` and `removed` follow revised candles.",
        ("sum by (table, result) (increase(crypto_transform_rows_total[1h]))", "{{table}} {{result}}"),
    ),
    chart(
        "Price alerts and notices, per hour",
        "none",
        "`retracted` and `corrected`: a late or revised candle said otherwise.",
        ("sum by (result) (increase(crypto_alert_changes_total[1h]))", "{{result}}"),
        ("sum by (kind) (increase(crypto_alert_notices_total[1h]))", "{{kind}} sent"),
        runbooks=("notices-failing",),
    ),
    chart(
        "Rows archived, per day",
        "short",
        "A burst after each closed month.",
        ("sum by (dataset) (increase(crypto_archive_rows_total[1d]))", "{{dataset}}"),
    ),
)

BOARD = Board(
    "market-data",
    "Market data quality",
    "Fresh, complete, agreeing, and what became of them.",
    {"Now": NOW, "Freshness": FRESHNESS, "Completeness": COMPLETENESS, "Rows": WRITTEN},
    tuple(
        Variable(label, "crypto_candle_newest_close_timestamp_seconds") for label in ("venue", "symbol", "timeframe")
    ),
)
