"""airflow_settings.yaml, the Astro CLI's format, read once for every mode."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FIELDS = ("conn_type", "host", "schema", "login", "password", "port", "extra")


class SettingsFileError(ValueError):
    """The settings file is not of the Astro CLI's form."""


@dataclass(frozen=True, slots=True)
class AirflowSettings:
    """connections: id -> JSON fields of Airflow; pools: name -> (slots, description); variables: key -> value."""

    connections: dict[str, dict[str, Any]]
    pools: dict[str, tuple[int, str]]
    variables: dict[str, str]


def read_settings(path: Path) -> AirflowSettings:
    """Parse the file. Raises SettingsFileError naming the entry that is wrong."""
    try:
        document = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise SettingsFileError(f"{path} is no YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("airflow"), dict):
        raise SettingsFileError(f"{path}: expected a mapping with the key 'airflow'")
    airflow = document["airflow"]
    try:
        return AirflowSettings(
            {c["conn_id"]: _connection(c) for c in airflow.get("connections") or []},
            {
                p["pool_name"]: (int(p["pool_slot"]), p.get("pool_description") or "")
                for p in airflow.get("pools") or []
            },
            {v["variable_name"]: str(v["variable_value"]) for v in airflow.get("variables") or []},
        )
    except KeyError as error:
        raise SettingsFileError(f"{path}: an entry lacks {error}") from error
    except (TypeError, ValueError) as error:
        raise SettingsFileError(f"{path}: an entry cannot be read: {error}") from error


def _connection(entry: dict[str, Any]) -> dict[str, Any]:
    named = {"conn_type": entry["conn_type"], **{f: entry.get(f"conn_{f}") for f in FIELDS[1:]}}
    return {name: value for name, value in named.items() if value not in (None, "", {})}
