"""airflow_settings.yaml as every mode reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.stack.environment import REPLAYED
from include.stack.layout import ROOT
from include.stack.settings_file import SettingsFileError, read_settings

FULL = """
airflow:
  connections:
    - {conn_id: w, conn_type: postgres, conn_host: db, conn_port: 5432, conn_password: "", conn_extra: {}}
    - {conn_id: c, conn_type: http, conn_host: https://c.test, conn_extra: {tier: demo}}
  pools:
    - {pool_name: slow, pool_slot: 2, pool_description: two at once}
    - {pool_name: bare, pool_slot: 1}
  variables:
    - {variable_name: days, variable_value: 30}
"""


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return read_settings(path)


def test_every_kind_of_entry(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(FULL)
    settings = read_settings(path)
    assert settings.connections == {
        "w": {"conn_type": "postgres", "host": "db", "port": 5432},
        "c": {"conn_type": "http", "host": "https://c.test", "extra": {"tier": "demo"}},
    }
    assert settings.pools == {"slow": (2, "two at once"), "bare": (1, "")}
    assert settings.variables == {"days": "30"}


def test_empty_sections_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("airflow: {connections: , pools: [], variables: }")
    settings = read_settings(path)
    assert (settings.connections, settings.pools, settings.variables) == ({}, {}, {})


@pytest.mark.parametrize("text", ["", "[]", "connections: []", "airflow: []"])
def test_another_form_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsFileError, match="key 'airflow'"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("connections: [{conn_type: http}]", "conn_id"),
        ("connections: [{conn_id: x}]", "conn_type"),
        ("pools: [{pool_name: x}]", "pool_slot"),
        ("variables: [{variable_name: x}]", "variable_value"),
    ],
)
def test_an_entry_that_lacks_something_names_it(tmp_path: Path, text: str, lacks: str) -> None:
    with pytest.raises(SettingsFileError, match=lacks):
        read(tmp_path, f"airflow: {{{text}}}")


def test_a_slot_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsFileError, match="many"):
        read(tmp_path, "airflow: {pools: [{pool_name: x, pool_slot: many}]}")


def test_an_entry_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsFileError, match="cannot be read"):
        read(tmp_path, "airflow: {connections: [warehouse]}")


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsFileError, match="is no YAML"):
        read(tmp_path, "airflow: [")


def test_the_repositorys_own_file_keeps_no_secret() -> None:
    settings = read_settings(ROOT / "airflow_settings.yaml")
    assert set(settings.connections) == {*REPLAYED, "coingecko", "warehouse", "warehouse_reader", "mlflow"}
    assert not [conn_id for conn_id, fields in settings.connections.items() if "password" in fields]
