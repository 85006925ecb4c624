"""Airflow itself: its services, its runs and tasks, and the slots they wait for."""

from __future__ import annotations

from include.metrics.panel import Board, Variable, chart, mean, number, p95, zero_is_well

DAG = 'dag_id=~"$dag_id"'
NO_FAILURE = "No run has failed."


def _beats(service: str) -> str:
    return f"sum(rate(airflow_{service}_heartbeat[$__rate_interval])) * 60"


NOW = (
    *(
        number(
            f"Heartbeats of the {title}",
            "none",
            f"Per minute. Without them {without}.",
            _beats(service),
            ((1, "green"),),
            below="red",
            runbooks=(runbook,),
        )
        for title, service, without, runbook in (
            ("scheduler", "scheduler", "no task starts", "scheduler-silent"),
            ("DAG processor", "dag_processor", "changed DAGs are not seen", "dag-processor-silent"),
            ("triggerer", "triggerer", "deferred tasks never wake", "triggerer-silent"),
        )
    ),
    number(
        "DAG files that do not import",
        "none",
        "The page of DAGs shows the errors.",
        "max(airflow_dag_processing_import_errors)",
        zero_is_well(),
        runbooks=("dag-import-errors",),
    ),
    number(
        "DAGs",
        "none",
        "That the DAG processor has found.",
        "max(airflow_dagbag_size)",
        ((1, "green"),),
        below="red",
        runbooks=("dag-import-errors",),
    ),
    number(
        "Pools with starving tasks",
        "none",
        "Tasks that could run now but for a slot of their pool.",
        "count(airflow_pool_starving_tasks > 0) or 0 * count(airflow_pool_starving_tasks)",
        zero_is_well("orange"),
        runbooks=("pool-starved",),
    ),
    number(
        "Tasks the scheduler starves",
        "none",
        "Tasks that cannot run for want of slots anywhere.",
        "max(airflow_scheduler_tasks_starving)",
        zero_is_well("orange"),
        runbooks=("pool-starved",),
    ),
    number(
        "Failed tasks in a day",
        "none",
        "After their retries.",
        'sum(increase(airflow_task_finish_total{state="failed"}[1d])) or 0 * sum(airflow_task_finish_total)',
        zero_is_well("orange"),
        runbooks=("dag-run-failed",),
    ),
)

SERVICES = (
    chart(
        "Heartbeats, per minute",
        "none",
        "Three flat lines well above 0.",
        (_beats("scheduler"), "scheduler"),
        (_beats("dag_processor"), "DAG processor"),
        (_beats("triggerer"), "triggerer"),
        runbooks=("scheduler-silent", "dag-processor-silent", "triggerer-silent"),
    ),
    chart(
        "The scheduler's loop, 95th percentile",
        "s",
        "Below a second; the critical section, in which it picks tasks, far below.",
        (p95("airflow_scheduler_scheduler_loop_duration"), "loop"),
        (p95("airflow_scheduler_critical_section_duration"), "critical section"),
    ),
    chart(
        "Runs and tasks the scheduler has at hand",
        "none",
        "Comes back to 0 between the hours.",
        ("max(airflow_scheduler_dagruns_running)", "running DAG runs"),
        ("max(airflow_scheduler_tasks_executable)", "tasks to start now"),
    ),
    chart(
        "Tasks whose scheduler had died, per hour",
        "none",
        "0 but after a restart: adopted ones go on, cleared ones start again.",
        ("sum(increase(airflow_scheduler_orphaned_tasks_adopted[1h]))", "adopted"),
        ("sum(increase(airflow_scheduler_orphaned_tasks_cleared[1h]))", "cleared"),
    ),
    chart(
        "Parsing of DAG files",
        "s",
        "Seconds for all files; a file below one.",
        ("max(airflow_dag_processing_total_parse_time)", "all files"),
        (p95("airflow_dag_processing_last_duration", "file_name"), "{{file_name}}"),
    ),
    chart(
        "DAG files that wait to be parsed",
        "none",
        "Comes back to 0 within each minute.",
        ("max(airflow_dag_processing_file_path_queue_size)", "files"),
    ),
    chart(
        "Triggers",
        "none",
        "A few while tasks wait for a budget; capacity far above 0.",
        ("airflow_triggers_running", "{{hostname}} running"),
        ("airflow_triggerer_capacity_left", "{{hostname}} capacity left"),
    ),
    chart(
        "Assets, per hour",
        "none",
        "Candles update theirs each hour, which wakes the DAGs behind them.",
        ("sum(increase(airflow_asset_updates[1h]))", "updates"),
        ("sum(increase(airflow_asset_triggered_dagruns[1h]))", "runs they woke"),
    ),
)

RUNS = (
    chart(
        "Duration of successful runs, 95th percentile",
        "s",
        "Flat per DAG.",
        (p95("airflow_dagrun_duration_success", "dag_id", where=DAG, window="1d"), "{{dag_id}}"),
    ),
    chart(
        "Duration of failed runs, 95th percentile",
        "s",
        "Nothing. Near the time limit it was that; near 0 it was an error at once.",
        (p95("airflow_dagrun_duration_failed", "dag_id", where=DAG, window="1d"), "{{dag_id}}"),
        runbooks=("dag-run-failed",),
        empty=NO_FAILURE,
    ),
    chart(
        "Delay before a scheduled run starts, 95th percentile",
        "s",
        "Seconds.",
        (p95("airflow_dagrun_schedule_delay", "dag_id", where=DAG, window="1d"), "{{dag_id}}"),
    ),
    chart(
        "Delay before a run's first task, mean",
        "s",
        "Of all runs since the exporter started. Seconds; more means that slots are wanting.",
        (mean("airflow_dagrun_first_task_start_delay", "dag_id", where=DAG), "{{dag_id}}"),
        runbooks=("pool-starved",),
    ),
)

TASKS = (
    chart(
        "Tasks, per hour",
        "none",
        "As many finished as started.",
        (f"sum by (dag_id) (increase(airflow_task_start_total{{{DAG}}}[1h]))", "{{dag_id}} started"),
        (f"sum by (dag_id, state) (increase(airflow_task_finish_total{{{DAG}}}[1h]))", "{{dag_id}} {{state}}"),
        runbooks=("dag-run-failed",),
    ),
    chart(
        "Duration of tasks, 95th percentile",
        "s",
        "Flat per task.",
        (p95("airflow_dag_task_duration", "dag_id", "task_id", where=DAG), "{{dag_id}} {{task_id}}"),
    ),
    chart(
        "Wait of tasks for a slot, 95th percentile",
        "s",
        "Seconds between scheduled and queued; more means that pools or the parallelism are too small.",
        (p95("airflow_task_scheduled_duration", "dag_id", where=DAG), "{{dag_id}}"),
        runbooks=("pool-starved",),
    ),
)

SLOTS = (
    chart(
        "Open slots of pools",
        "none",
        "Above 0 most of the time.",
        ("max by (pool_name) (airflow_pool_open_slots)", "{{pool_name}}"),
        runbooks=("pool-starved",),
    ),
    chart(
        "Slots of pools in use",
        "none",
        "Running below the pool's size.",
        ("max by (pool_name) (airflow_pool_running_slots)", "{{pool_name}} running"),
        ("max by (pool_name) (airflow_pool_deferred_slots)", "{{pool_name}} deferred"),
    ),
    chart(
        "Tasks that wait for a slot",
        "none",
        "Comes back to 0.",
        ("max by (pool_name) (airflow_pool_queued_slots)", "{{pool_name}} queued"),
        ("max by (pool_name) (airflow_pool_scheduled_slots)", "{{pool_name}} scheduled"),
        ("max by (pool_name) (airflow_pool_starving_tasks)", "{{pool_name}} starving"),
        runbooks=("pool-starved",),
    ),
    chart(
        "The executor",
        "none",
        "Open slots above 0 most of the time.",
        ("max by (executor_class_name) (airflow_executor_open_slots)", "{{executor_class_name}} open"),
        ("max by (executor_class_name) (airflow_executor_queued_tasks)", "{{executor_class_name}} queued"),
        ("max by (executor_class_name) (airflow_executor_running_tasks)", "{{executor_class_name}} running"),
    ),
)

BOARD = Board(
    "airflow",
    "Airflow",
    "Its services, its runs and tasks, and the slots they wait for.",
    {"Now": NOW, "Services": SERVICES, "Runs": RUNS, "Tasks": TASKS, "Slots": SLOTS},
    (Variable("dag_id", "airflow_task_start_total"),),
)
