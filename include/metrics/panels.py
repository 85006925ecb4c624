"""The charts of the dashboard, section by section."""

from __future__ import annotations

from typing import NamedTuple


class Panel(NamedTuple):
    """A chart over time. `unit` is Grafana's id of a unit; `description` says what a healthy picture looks like.

    `more` holds further pairs of expression and legend.
    """

    title: str
    expr: str
    legend: str
    unit: str
    description: str
    more: tuple[tuple[str, str], ...] = ()


SECTIONS: dict[str, tuple[Panel, ...]] = {
    "Data": (
        Panel(
            "Age of the newest candle",
            "time() - crypto_candle_newest_close_timestamp_seconds",
            "{{symbol}} {{timeframe}}",
            "s",
            "A saw tooth below two timeframes.",
        ),
        Panel(
            "Candles nobody can account for",
            "crypto_coverage_unknown",
            "{{venue}} {{symbol}} {{timeframe}}",
            "short",
            "0: each expected candle is held or explained.",
        ),
        Panel(
            "Share of the expected candles that is held",
            "crypto_coverage_held_ratio",
            "{{venue}} {{symbol}} {{timeframe}}",
            "percentunit",
            "Near 1; what lacks are the venue's own holes.",
        ),
        Panel(
            "Candles on which venues do not agree, per hour",
            'sum by (venue, symbol, verdict) (rate(crypto_reconcile_candles_total{verdict!="agree"}[1h])) * 3600',
            "{{venue}} {{symbol}} {{verdict}}",
            "short",
            "`outlier` is to be looked at; `quote_basis` is USDT or USDC away from the dollar.",
        ),
        Panel(
            "Rows read, per minute",
            "sum by (dataset, result) (rate(crypto_ingest_rows_total[$__rate_interval])) * 60",
            "{{dataset}} {{result}}",
            "short",
            "New rows each hour; `changed` is a venue revising its history, `quarantined` is an alert.",
        ),
        Panel(
            "Requests, per minute",
            "sum by (venue, outcome) (rate(crypto_venue_requests_total[$__rate_interval])) * 60",
            "{{venue}} {{outcome}}",
            "short",
            "Only `ok`, beside rare `unavailable`.",
        ),
        Panel(
            "Answer time of sources, 95th percentile",
            "histogram_quantile(0.95,"
            " sum by (venue, le) (rate(crypto_venue_request_seconds_bucket[$__rate_interval])))",
            "{{venue}}",
            "s",
            "Below a second.",
        ),
        Panel(
            "Age of ticker snapshots and of the Fear & Greed index",
            "time() - crypto_ticker_newest_timestamp_seconds",
            "{{symbol}}",
            "s",
            "Tickers within their schedule, the index within two days.",
            (("time() - crypto_sentiment_newest_timestamp_seconds", "Fear & Greed"),),
        ),
    ),
    "Politeness": (
        Panel(
            "Circuits",
            "crypto_circuit_state",
            "{{venue}}",
            "short",
            "0: closed. 2 is open, nothing is sent; 1 is one request trying.",
        ),
        Panel(
            "Answers held against a source, per hour",
            "sum by (venue, reason) (increase(crypto_circuit_troubles_total[1h]))",
            "{{venue}} {{reason}}",
            "short",
            "Rare `unavailable`. `rate_limited` says that our limit is too high, `banned` that it was not obeyed.",
        ),
        Panel(
            "Requests not let through, per minute",
            "sum by (venue, reason) (rate(crypto_budget_refusals_total[$__rate_interval])) * 60",
            "{{venue}} {{reason}}",
            "short",
            "A few `budget` while history is filled: those tasks come again. `database` is an alert.",
        ),
        Panel(
            "Weight let through, per minute",
            "sum by (venue, priority) (rate(crypto_budget_weight_total[$__rate_interval])) * 60",
            "{{venue}} {{priority}}",
            "short",
            "Below the limit of each source; `live` is there whatever the others do.",
            (("sum by (venue) (rate(crypto_budget_requests_total[$__rate_interval])) * 60", "{{venue}} requests"),),
        ),
        Panel(
            "Wait for tokens, 95th percentile",
            "histogram_quantile(0.95,"
            " sum by (venue, priority, le) (rate(crypto_budget_waited_seconds_bucket[$__rate_interval])))",
            "{{venue}} {{priority}}",
            "s",
            "`live` waits for one request's tokens at most.",
        ),
    ),
    "Transforms": (
        Panel(
            "Rows of the schema mart, per hour",
            "sum by (table, result) (increase(crypto_transform_rows_total[1h]))",
            "{{table}} {{result}}",
            "short",
            "A few new rows each hour. `changed` and `removed` follow revised candles.",
        ),
        Panel(
            "Price alerts and notices, per hour",
            "sum by (result) (increase(crypto_alert_changes_total[1h]))",
            "{{result}}",
            "short",
            "`retracted` and `corrected`: a late or revised candle said otherwise.",
            (("sum by (kind) (increase(crypto_alert_notices_total[1h]))", "{{kind}} sent"),),
        ),
    ),
    "Features and forecasts": (
        Panel(
            "Features behind candles",
            "crypto_candle_newest_close_timestamp_seconds"
            " - on (venue, symbol, timeframe) crypto_feature_newest_close_timestamp_seconds",
            "{{symbol}} {{timeframe}}",
            "s",
            "0 but for the minutes in which features are computed.",
        ),
        Panel(
            "Feature rows, per minute",
            "sum by (result) (rate(crypto_feature_rows_total[$__rate_interval])) * 60",
            "{{result}}",
            "short",
            "A few rows each hour; a repair shows as a burst of `changed`.",
        ),
        Panel(
            "Failed checks of features, per hour",
            "sum by (check) (increase(crypto_check_failures_total[1h]))",
            "{{check}}",
            "short",
            "None. The task's error names market, column and hour.",
        ),
        Panel(
            "Forecasts, per hour",
            "sum by (result) (increase(crypto_forecast_rows_total[1h]))",
            "{{result}}",
            "short",
            "`written` each hour for every market and horizon.",
        ),
        Panel(
            "Refused forecasts, per hour",
            "sum by (target, reason) (increase(crypto_forecast_refusals_total[1h]))",
            "{{target}} {{reason}}",
            "short",
            "None. The view `forecast_status` says why in a sentence.",
        ),
        Panel(
            "Time to the newest target",
            "crypto_forecast_newest_target_timestamp_seconds - time()",
            "{{symbol}} {{horizon}}",
            "s",
            "Above 0: there is a forecast of a time still to come.",
        ),
        Panel(
            "Skill over the random walk; of volatility: over EWMA",
            "crypto_forecast_skill_ratio",
            "{{symbol}} {{horizon}} {{target}}",
            "percentunit",
            "0 where the naive forecast is served; a served model stays above 0.",
            (("crypto_forecast_skill_upper_ratio", "{{symbol}} {{horizon}} {{target}}, at most"),),
        ),
        Panel(
            "Coverage of intervals",
            "crypto_forecast_coverage_ratio",
            "{{symbol}} {{horizon}} {{target}} {{interval}} %",
            "percentunit",
            "Near 80 % and near 95 %.",
        ),
        Panel(
            "Age of the last training",
            "time() - crypto_model_trained_timestamp_seconds",
            "{{symbol}} {{target}} {{horizon}}",
            "s",
            "Within the retraining schedule.",
        ),
        Panel(
            "Trainings, per day",
            "sum by (decision) (increase(crypto_model_trainings_total[1d]))",
            "{{decision}}",
            "short",
            "`naive` is a valid decision: no model beat it.",
        ),
        Panel(
            "Rows archived, per day",
            "sum by (dataset) (increase(crypto_archive_rows_total[1d]))",
            "{{dataset}}",
            "short",
            "A burst after each closed month.",
        ),
    ),
    "Airflow": (
        Panel(
            "Heartbeats, per minute",
            "sum(rate(airflow_scheduler_heartbeat[$__rate_interval])) * 60",
            "scheduler",
            "short",
            "Three flat lines well above 0.",
            (
                ("sum(rate(airflow_dag_processor_heartbeat[$__rate_interval])) * 60", "DAG processor"),
                ("sum(rate(airflow_triggerer_heartbeat[$__rate_interval])) * 60", "triggerer"),
            ),
        ),
        Panel(
            "Finished tasks, per minute",
            "sum by (dag_id, state) (rate(airflow_task_finish_total[$__rate_interval])) * 60",
            "{{dag_id}} {{state}}",
            "short",
            "`success`, with rare `up_for_retry`.",
        ),
        Panel(
            "Duration of runs, 95th percentile",
            "histogram_quantile(0.95, sum by (dag_id, le) (rate(airflow_dagrun_duration_success_bucket[1h])))",
            "{{dag_id}}",
            "s",
            "Flat per DAG.",
        ),
        Panel(
            "Delay before a scheduled run starts, 95th percentile",
            "histogram_quantile(0.95, sum by (dag_id, le) (rate(airflow_dagrun_schedule_delay_bucket[1h])))",
            "{{dag_id}}",
            "s",
            "Seconds.",
        ),
        Panel("Open slots of pools", "airflow_pool_open_slots", "{{pool_name}}", "short", "Above 0 most of the time."),
        Panel(
            "DAG files that do not import", "max(airflow_dag_processing_import_errors)", "import errors", "short", "0."
        ),
    ),
}
