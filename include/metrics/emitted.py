"""What this product sends by StatsD: things that happen, in the process they happen in."""

from __future__ import annotations

from include.metrics.metric import Metric

EMITTED = (
    Metric(
        "crypto.venue.requests",
        "counter",
        ("venue", "outcome"),
        "HTTP requests to a source by outcome: ok, or the class of error in snake case without its `Error`.",
    ),
    Metric("crypto.venue.request_seconds", "timer", ("venue",), "How long a source took to answer."),
    Metric(
        "crypto.budget.requests",
        "counter",
        ("venue", "priority"),
        "Requests that the shared budget of a source let through, by live, repair or backfill.",
    ),
    Metric(
        "crypto.budget.weight",
        "counter",
        ("venue", "priority"),
        "Weight of these requests, in the source's own units.",
    ),
    Metric(
        "crypto.budget.waited_seconds",
        "timer",
        ("venue", "priority"),
        "How long a request waited for its tokens; most wait not at all.",
    ),
    Metric(
        "crypto.budget.refusals",
        "counter",
        ("venue", "priority", "reason"),
        "Requests not let through, by reason: budget, queue, blocked, circuit or database.",
    ),
    Metric(
        "crypto.circuit.troubles",
        "counter",
        ("venue", "reason"),
        "Answers that blocked a source or counted against its circuit, by reason.",
    ),
    Metric(
        "crypto.ingest.rows",
        "counter",
        ("dataset", "result"),
        "Rows read from a source by what became of them: new, changed, unchanged or quarantined.",
    ),
    Metric(
        "crypto.feature.rows",
        "counter",
        ("result",),
        "Feature rows recomputed by what became of them: new, changed or unchanged.",
    ),
    Metric(
        "crypto.check.failures",
        "counter",
        ("check",),
        "Checks of the stored features that failed, by check: a column's bound, a rule of rows or a recomputed column.",
    ),
    Metric(
        "crypto.transform.rows",
        "counter",
        ("table", "result"),
        "Rows of the schema mart by table and what became of them: new, changed or removed.",
    ),
    Metric(
        "crypto.alert.changes",
        "counter",
        ("result",),
        "Price alerts by what candles made of them: fired, corrected, reinstated or retracted.",
    ),
    Metric(
        "crypto.alert.notices",
        "counter",
        ("kind",),
        "Notices handed to the notifier: alert or retraction.",
    ),
    Metric(
        "crypto.model.trainings",
        "counter",
        ("symbol", "horizon", "target", "decision"),
        "Trainings by what was decided to serve: model or naive.",
    ),
    Metric(
        "crypto.forecast.rows",
        "counter",
        ("result",),
        "Forecasts by what became of them: written, already_sealed or refused.",
    ),
    Metric(
        "crypto.forecast.refusals",
        "counter",
        ("target", "reason"),
        "Forecasts refused, or their volatility part, by class of reason.",
    ),
    Metric("crypto.archive.rows", "counter", ("dataset",), "Rows written to verified archive files."),
    Metric(
        "crypto.reconcile.candles",
        "counter",
        ("venue", "symbol", "verdict"),
        "Candles compared across venues by verdict: agree, quote_basis, outlier, missing or uncompared.",
    ),
    Metric(
        "crypto.deadline.missed",
        "counter",
        ("dag_id",),
        "Deadlines of a DAG run that passed unmet, as the callback saw them.",
    ),
)
