"""How long this installation keeps what only its operation needs: the one typed settings file of retention.

Nothing here is about market data: candles, their revisions, features, forecasts, scores, promotions and attestations
of coverage are never trimmed by age (closed months of candles leave through `archival` alone).
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Retention:
    """Ages in days; what is older goes. Defaults suit an installation whose incidents are looked at within weeks.

    local_files: task logs and parse logs, by the time they were last written.
    airflow_metadata: runs, task instances, XComs, jobs, audit log, events, deadlines and Celery's results of Airflow.
    models: MLflow runs and model versions that never served; those that served are kept for good.
    pipeline_runs: what each task wrote (ops.pipeline_run).
    request_usage: requests per hour and source (ops.request_usage); a month of it is the budget of some sources.
    quarantine: rejected rows with their raw text (market.quarantine).
    """

    local_files: int = 30
    airflow_metadata: int = 95
    models: int = 182
    pipeline_runs: int = 180
    request_usage: int = 400
    quarantine: int = 1_095

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) < FEWEST_DAYS[each.name]:
                raise ValueError(
                    f"retention of {each.name} is at least {FEWEST_DAYS[each.name]} days: something uses it"
                )


# What would be missed below: runs under way, the success that the alert DagWithoutSuccess asks for within 63 days
# (deploy/prometheus/rules/runs.yml), a champion's next training, the month's budget of a source.
FEWEST_DAYS: dict[str, int] = {
    "local_files": 1,
    "airflow_metadata": 70,
    "models": 28,
    "pipeline_runs": 7,
    "request_usage": 62,
    "quarantine": 30,
}

RETENTION = Retention()
