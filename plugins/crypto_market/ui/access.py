"""Who may see what, by Airflow's own rights. The only file that knows Airflow's security: it is no public interface."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_connection, requires_access_view

from include.api.access import Access


def readable_dags(user: GetUserDep) -> set[str]:
    """Ids of the DAGs that the one who asks may see."""
    return get_auth_manager().get_authorized_dag_ids(user=user)


# Budgets, circuits and answers word for word tell about hosts: who may read connections may read them.
AIRFLOW = Access(
    read=requires_access_view(AccessView.PLUGINS),
    machinery=requires_access_connection("GET"),
    docs=requires_access_view(AccessView.DOCS),
    readable_dags=readable_dags,
)


def rights(user: GetUserDep) -> dict[str, Any]:
    """What the one who looks may see, so that a page need not ask for what it would be refused."""
    return {
        "user": user.get_name(),
        "machinery": get_auth_manager().is_authorized_connection(method="GET", user=user),
    }
