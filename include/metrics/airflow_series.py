"""Series of Airflow's own that our dashboards and alerts rely on, as deploy/statsd/mapping.yml names them.

A test holds each against Airflow's list of its metrics, which changes from release to release. A timer is a histogram
of seconds with `_bucket`, `_sum` and `_count`.
"""

from __future__ import annotations

from typing import NamedTuple

from include.metrics.metric import MetricType


class AirflowSeries(NamedTuple):
    """`airflow_name` is that of Airflow's metrics_template.yaml; `name` and `labels` are those on the metrics page."""

    name: str
    type: MetricType
    airflow_name: str
    labels: tuple[str, ...] = ()


_LISTED = (
    AirflowSeries("airflow_scheduler_heartbeat", "counter", "scheduler_heartbeat"),
    AirflowSeries("airflow_dag_processor_heartbeat", "counter", "dag_processor_heartbeat"),
    AirflowSeries("airflow_triggerer_heartbeat", "counter", "triggerer_heartbeat"),
    AirflowSeries("airflow_scheduler_scheduler_loop_duration", "timer", "scheduler.scheduler_loop_duration"),
    AirflowSeries("airflow_scheduler_critical_section_duration", "timer", "scheduler.critical_section_duration"),
    AirflowSeries("airflow_scheduler_tasks_executable", "gauge", "scheduler.tasks.executable"),
    AirflowSeries("airflow_scheduler_tasks_starving", "gauge", "scheduler.tasks.starving"),
    AirflowSeries("airflow_scheduler_dagruns_running", "gauge", "scheduler.dagruns.running"),
    AirflowSeries("airflow_scheduler_orphaned_tasks_cleared", "counter", "scheduler.orphaned_tasks.cleared"),
    AirflowSeries("airflow_scheduler_orphaned_tasks_adopted", "counter", "scheduler.orphaned_tasks.adopted"),
    AirflowSeries("airflow_dagbag_size", "gauge", "dagbag_size"),
    AirflowSeries("airflow_dag_processing_import_errors", "gauge", "dag_processing.import_errors"),
    AirflowSeries("airflow_dag_processing_total_parse_time", "gauge", "dag_processing.total_parse_time"),
    AirflowSeries("airflow_dag_processing_file_path_queue_size", "gauge", "dag_processing.file_path_queue_size"),
    AirflowSeries(
        "airflow_dag_processing_last_duration",
        "timer",
        "dag_processing.last_duration",
        ("bundle_name", "file_name"),
    ),
    AirflowSeries("airflow_dagrun_duration_success", "timer", "dagrun.duration.success", ("dag_id", "run_type")),
    AirflowSeries("airflow_dagrun_duration_failed", "timer", "dagrun.duration.failed", ("dag_id", "run_type")),
    AirflowSeries("airflow_dagrun_schedule_delay", "timer", "dagrun.schedule_delay", ("dag_id",)),
    AirflowSeries(
        "airflow_dagrun_first_task_start_delay", "timer", "dagrun.first_task_start_delay", ("dag_id", "run_type")
    ),
    AirflowSeries("airflow_task_start_total", "counter", "ti.start", ("dag_id", "task_id")),
    AirflowSeries("airflow_task_finish_total", "counter", "ti.finish", ("dag_id", "state", "task_id")),
    AirflowSeries("airflow_dag_task_duration", "timer", "task.duration", ("dag_id", "task_id")),
    AirflowSeries(
        "airflow_task_scheduled_duration", "timer", "task.scheduled_duration", ("dag_id", "queue", "task_id")
    ),
    AirflowSeries("airflow_pool_open_slots", "gauge", "pool.open_slots", ("pool_name",)),
    AirflowSeries("airflow_pool_queued_slots", "gauge", "pool.queued_slots", ("pool_name",)),
    AirflowSeries("airflow_pool_running_slots", "gauge", "pool.running_slots", ("pool_name",)),
    AirflowSeries("airflow_pool_deferred_slots", "gauge", "pool.deferred_slots", ("pool_name",)),
    AirflowSeries("airflow_pool_scheduled_slots", "gauge", "pool.scheduled_slots", ("pool_name",)),
    AirflowSeries("airflow_pool_starving_tasks", "gauge", "pool.starving_tasks", ("pool_name",)),
    AirflowSeries("airflow_executor_open_slots", "gauge", "executor.open_slots", ("executor_class_name", "status")),
    AirflowSeries("airflow_executor_queued_tasks", "gauge", "executor.queued_tasks", ("executor_class_name", "status")),
    AirflowSeries(
        "airflow_executor_running_tasks", "gauge", "executor.running_tasks", ("executor_class_name", "status")
    ),
    AirflowSeries("airflow_triggers_running", "gauge", "triggers.running", ("hostname",)),
    AirflowSeries("airflow_triggerer_capacity_left", "gauge", "triggerer.capacity_left", ("hostname",)),
    AirflowSeries("airflow_asset_updates", "counter", "asset.updates"),
    AirflowSeries("airflow_asset_triggered_dagruns", "counter", "asset.triggered_dagruns"),
)

AIRFLOW_SERIES: dict[str, AirflowSeries] = {series.name: series for series in _LISTED}
