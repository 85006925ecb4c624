"""Pipeline health: does it run, does anybody have to act, and where does it wait."""

from __future__ import annotations

from include.metrics.panel import Board, chart, number, p95, zero_is_well

HOUR, DAY = 3600, 86400
BACKUP = "No backup has been made: make backup."

NOW = (
    number(
        "Alerts firing",
        "none",
        "Of those that call somebody. Prometheus' page /alerts names them.",
        'sum(ALERTS{alertstate="firing", severity!="none"}) or 0 * sum(ALERTS{alertname="Watchdog"})',
        zero_is_well(),
        runbooks=("README",),
    ),
    number(
        "DAGs whose last run failed",
        "none",
        "Each DAG looks at what is missing and repairs it: a later success has caught up.",
        "sum(crypto_dag_last_run_failed)",
        zero_is_well(),
        runbooks=("dag-run-failed",),
        more="crypto-airflow",
    ),
    number(
        "Candles nobody can account for",
        "none",
        "Each expected candle is held or explained.",
        "sum(crypto_coverage_unknown)",
        zero_is_well("orange"),
        runbooks=("candles-unknown",),
        more="crypto-market-data",
    ),
    number(
        "Circuits not closed",
        "none",
        "Sources of which nothing, or one request to try, is asked.",
        "sum(crypto_circuit_state > bool 0)",
        zero_is_well("orange"),
        runbooks=("circuit-open",),
    ),
    number(
        "Databases that answer",
        "percentunit",
        "The warehouse's and Airflow's. Below 100 % the figures of one of them are missing or old.",
        "avg(crypto_facts_up)",
        ((1, "green"),),
        below="red",
        runbooks=("database-down",),
    ),
    number(
        "Queries for facts that fail",
        "none",
        "0: each figure of the databases on these boards is there.",
        "sum(crypto_facts_failed_queries)",
        zero_is_well("orange"),
        runbooks=("fact-queries-failing",),
    ),
    number(
        "Age of the facts",
        "s",
        "Since the databases were last asked for what these boards show of them.",
        "time() - min(crypto_facts_collected_timestamp_seconds)",
        ((300, "orange"), (900, "red")),
    ),
    number(
        "Scrape targets down",
        "none",
        "What Prometheus asks and does not get an answer from.",
        "sum(up == bool 0)",
        zero_is_well(),
        runbooks=("target-down",),
    ),
    number(
        "Age of the oldest backup",
        "s",
        "Of each database's newest verified backup, the oldest.",
        "time() - min(crypto_backup_last_success_timestamp_seconds)",
        ((26 * HOUR, "orange"), (3 * DAY, "red")),
        empty=BACKUP,
    ),
)

RUNS = (
    chart(
        "Time since the last success",
        "s",
        "A saw tooth as high as the DAG's schedule is long; flat while a DAG is paused.",
        ("time() - crypto_dag_last_success_timestamp_seconds", "{{dag_id}}"),
        runbooks=("dag-run-failed",),
    ),
    chart(
        "Time since the last failure",
        "s",
        "Only rises. A drop to 0 is a run that failed after its retries.",
        ("time() - crypto_dag_last_failure_timestamp_seconds", "{{dag_id}}"),
        empty="No run has failed.",
    ),
    chart(
        "Runs that are due and have not begun",
        "s",
        "How long ago the next scheduled run was due: a minute or two at most.",
        ("clamp_min(time() - crypto_dag_next_run_due_timestamp_seconds, 0)", "{{dag_id}}"),
        steps=((15 * 60, "red"),),
        empty="Every DAG with a time schedule is paused.",
    ),
    chart(
        "Age of the oldest run that has not ended",
        "s",
        "Minutes; hours while a long history is filled.",
        ("time() - crypto_dag_oldest_unfinished_run_timestamp_seconds", "{{dag_id}}"),
        empty="No run is under way.",
    ),
    chart(
        "Deadlines missed",
        "none",
        "Flat. Each step is an hourly run that was not done when its hour's forecast was wanted.",
        ("crypto_dag_deadlines_missed", "{{dag_id}}"),
        ("sum by (dag_id) (increase(crypto_deadline_missed_total[1d]))", "{{dag_id}}, told of in a day"),
    ),
    chart(
        "Tasks that wait or work",
        "none",
        "`running` below the parallelism; `queued` and `scheduled` come back to 0.",
        ("crypto_queue_tasks", "{{state}}"),
        runbooks=("pool-starved",),
    ),
    chart(
        "Longest wait for a slot",
        "s",
        "Since when the task waits that has been scheduled or queued for longest.",
        ("time() - crypto_queue_oldest_task_timestamp_seconds", "longest"),
        runbooks=("pool-starved",),
    ),
    chart(
        "Paused DAGs",
        "none",
        "All 0 in production: a paused DAG does nothing, and no alert on its runs fires.",
        ("crypto_dag_paused", "{{dag_id}}"),
    ),
    chart(
        "Slots of pools that are leaked",
        "none",
        "0: no running task is without a sign of life.",
        ("crypto_pool_leaked_slots", "{{pool}}"),
        ("sum(crypto_pool_slots > 0)", "slots of all pools"),
    ),
)

SOURCES = (
    chart(
        "Requests, per minute",
        "none",
        "`ok`, with rare errors.",
        ("sum by (venue, outcome) (rate(crypto_venue_requests_total[$__rate_interval])) * 60", "{{venue}} {{outcome}}"),
        runbooks=("venue-refuses",),
    ),
    chart(
        "Time a source takes to answer, 95th percentile",
        "s",
        "Below a second.",
        (p95("crypto_venue_request_seconds", "venue"), "{{venue}}"),
    ),
    chart(
        "Circuits",
        "none",
        "0: closed. 2 is open, nothing is sent; 1 is one request trying.",
        ("crypto_circuit_state", "{{venue}}"),
        steps=((1, "orange"), (2, "red")),
        runbooks=("circuit-open",),
    ),
    chart(
        "Answers held against a source, per hour",
        "none",
        "Rare `unavailable`. `rate_limited` says that our limit is too high, `banned` that it was not obeyed.",
        ("sum by (venue, reason) (increase(crypto_circuit_troubles_total[1h]))", "{{venue}} {{reason}}"),
        runbooks=("venue-refuses", "circuit-open"),
    ),
    chart(
        "Requests not let through, per hour",
        "none",
        "A few `budget` while history is filled: those tasks come again. `database` is an alert.",
        (
            "sum by (venue, priority, reason) (increase(crypto_budget_refusals_total[1h]))",
            "{{venue}} {{priority}} {{reason}}",
        ),
        runbooks=("live-requests-refused", "budget-unreadable"),
    ),
    chart(
        "Weight let through, per minute",
        "none",
        "Below the limit of each source; `live` is there whatever the others do.",
        (
            "sum by (venue, priority) (rate(crypto_budget_weight_total[$__rate_interval])) * 60",
            "{{venue}} {{priority}}",
        ),
        ("sum by (venue) (rate(crypto_budget_requests_total[$__rate_interval])) * 60", "{{venue}}, requests"),
    ),
    chart(
        "Wait for tokens, 95th percentile",
        "s",
        "`live` waits for one request's tokens at most.",
        (p95("crypto_budget_waited_seconds", "venue", "priority"), "{{venue}} {{priority}}"),
    ),
)

DATABASE = (
    chart(
        "Size of the databases",
        "bytes",
        "Grows with the candles: about linear, no steps.",
        ("crypto_database_size_bytes", "{{database}}"),
    ),
    chart(
        "The largest tables",
        "bytes",
        "With their indexes.",
        ("topk(10, crypto_table_size_bytes)", "{{table}}"),
    ),
    chart(
        "Rows of the largest tables",
        "short",
        "By PostgreSQL's own estimate.",
        ("topk(10, crypto_table_rows)", "{{table}}"),
    ),
    chart(
        "Share of dead rows",
        "percentunit",
        "Below a fifth, where autovacuum starts. Tables of more than 1000 rows.",
        (
            "topk(10, crypto_table_dead_rows / (crypto_table_rows + crypto_table_dead_rows)"
            " and crypto_table_rows > 1000)",
            "{{table}}",
        ),
    ),
    chart(
        "Connections",
        "none",
        "Well below the limit.",
        ("crypto_database_connections", "{{database}}"),
        ("crypto_database_max_connections", "limit"),
    ),
    chart(
        "Age of the oldest transaction",
        "s",
        "Minutes at most: until it ends, no dead row newer than it can be removed.",
        ("time() - crypto_database_oldest_transaction_timestamp_seconds", "oldest"),
    ),
)

DISK = 'fstype!~"tmpfs|ramfs|overlay|squashfs|9p"'
MACHINE = (
    chart(
        "Free disk",
        "percentunit",
        "Above a tenth.",
        (
            f"min by (mountpoint) (node_filesystem_avail_bytes{{{DISK}}} / node_filesystem_size_bytes{{{DISK}}})",
            "{{mountpoint}}",
        ),
        empty="The node exporter is not running, or sees no disk.",
    ),
    chart(
        "Memory in use",
        "percentunit",
        "Below nine tenths.",
        ("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "in use"),
        empty="The node exporter is not running.",
    ),
    chart(
        "Processors at work",
        "percentunit",
        "Peaks at each hour.",
        ('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', "{{instance}}"),
        empty="The node exporter is not running.",
    ),
)

BOARD = Board(
    "pipeline",
    "Pipeline health",
    "Does it run, does anybody have to act, and where does it wait.",
    {"Now": NOW, "Runs": RUNS, "Sources": SOURCES, "Database": DATABASE, "Machine": MACHINE},
)
