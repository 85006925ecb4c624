"""Where MLflow is."""

from __future__ import annotations


def tracking_uri(mlflow_conn_id: str = "mlflow") -> str:
    """Base URL of MLflow. Raises ValueError for a connection without a host."""
    from airflow.sdk import BaseHook

    address = BaseHook.get_connection(mlflow_conn_id).host
    if not address:
        raise ValueError(f"connection {mlflow_conn_id!r} has no host; give it MLflow's base URL")
    return str(address)
