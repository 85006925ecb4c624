"""The one file Airflow's plugin loader executes; operators and hooks are imported by the DAGs themselves."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from crypto_market.ui.views import PREFIX, external_views


class CryptoMarketPlugin(AirflowPlugin):
    name = "crypto_market"
    external_views = external_views()

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Made where it is asked for, in the api-server: every task loads this file, too."""
        from crypto_market.ui.app import application

        return [{"app": application(), "url_prefix": PREFIX, "name": "Crypto market"}]
