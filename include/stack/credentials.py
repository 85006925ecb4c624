"""Passwords and keys of one embedded installation: made on first start, kept readable by the owner alone."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

# One user for each role of Airflow's simple auth manager, named after it: op also sees connections and changes
# variables and pools, user runs DAGs, viewer looks.
AIRFLOW_USERS = ("admin", "op", "user", "viewer")


def _password() -> str:
    return secrets.token_urlsafe(15)


def _fernet_key() -> str:
    # Airflow's connection encryption wants 32 random bytes in URL-safe base64.
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything secret the stack needs. Field names say whose password it is."""

    postgres: str = field(default_factory=_password, repr=False)
    warehouse_owner: str = field(default_factory=_password, repr=False)
    warehouse_writer: str = field(default_factory=_password, repr=False)
    warehouse_reader: str = field(default_factory=_password, repr=False)
    monitor: str = field(default_factory=_password, repr=False)
    airflow_database: str = field(default_factory=_password, repr=False)
    mlflow_database: str = field(default_factory=_password, repr=False)
    airflow_janitor: str = field(default_factory=_password, repr=False)
    airflow_admin: str = field(default_factory=_password, repr=False)
    airflow_op: str = field(default_factory=_password, repr=False)
    airflow_user: str = field(default_factory=_password, repr=False)
    airflow_viewer: str = field(default_factory=_password, repr=False)
    fernet_key: str = field(default_factory=_fernet_key, repr=False)
    api_secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    jwt_secret: str = field(default_factory=lambda: secrets.token_hex(64), repr=False)
    redis: str = field(default_factory=_password, repr=False)

    def airflow_users(self) -> dict[str, str]:
        """Password by user of Airflow."""
        return {user: getattr(self, f"airflow_{user}") for user in AIRFLOW_USERS}


def load_or_create(path: Path) -> tuple[Credentials, bool]:
    """The installation's credentials, and whether they were made just now; what an older file lacks is added to it."""
    held = json.loads(path.read_text()) if path.exists() else {}
    credentials = Credentials(**held)
    if asdict(credentials) != held:
        unfinished = path.with_suffix(".making")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(asdict(credentials), out, indent=1)
        unfinished.rename(path)
    return credentials, not held
