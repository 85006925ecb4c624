"""The one file Airflow's plugin loader executes; operators and hooks are imported by the DAGs themselves."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class CryptoMarketPlugin(AirflowPlugin):
    name = "crypto_market"
