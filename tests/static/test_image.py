"""The Dockerfiles: linted, and in step with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
SQL_EXPORTER = ROOT / "deploy/compose/sql_exporter/Dockerfile"
LINT = ("hadolint", "--no-color", "--config", ROOT / ".hadolint.yaml")


@pytest.mark.parametrize("dockerfile", [DOCKERFILE, SQL_EXPORTER], ids=["airflow", "sql-exporter"])
def test_dockerfile_has_no_finding(tool, dockerfile: Path) -> None:
    done = tool(*LINT, dockerfile)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("USER 50000", "USER root", "DL3002"),
        ("COPY --chown=airflow:root dags", "ADD --chown=airflow:root dags", "DL3020"),
        (":slim-3.3.2-python3.12", "", "DL3006"),
        ("--no-cache-dir ", "", "DL3042"),
    ],
)
def test_the_linter_sees_a_planted_error(tool, tmp_path: Path, old: str, new: str, code: str) -> None:
    text = DOCKERFILE.read_text()
    assert old in text
    (tmp_path / "Dockerfile").write_text(text.replace(old, new))
    done = tool(*LINT, tmp_path / "Dockerfile")
    assert code in done.stdout
    assert done.returncode != 0


def test_image_and_project_agree_on_airflow_and_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = next(line for line in project["dependencies"] if line.startswith("apache-airflow=="))
    image = re.search(r"^FROM apache/airflow:slim-([\d.]+)-python([\d.]+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert image
    assert f"apache-airflow=={image[1]}" == pinned
    lowest, highest = re.findall(r"3\.(\d+)", project["requires-python"])
    assert int(lowest) <= int(image[2].split(".")[1]) < int(highest)


def test_what_is_copied_exists_and_is_let_through() -> None:
    copied = re.findall(r"^COPY (?:--chown=\S+ )?([^-\s]\S*) /", DOCKERFILE.read_text(), re.MULTILINE)
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == allowed
    assert {"dags", "plugins", "include", "sql", "requirements.txt"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists(), name


def test_backups_are_made_by_programs_of_the_servers_version() -> None:
    server = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]["postgres"]["image"]
    text = DOCKERFILE.read_text()
    assert f"FROM {server} AS postgres-client" in text
    major = server.removeprefix("postgres:").split(".")[0]
    assert set(re.findall(r"/usr/lib/postgresql/(\d+)/", text)) == {major}


def test_no_keys_are_made_into_the_image() -> None:
    """Airflow's first command writes random keys into airflow.cfg where there is none: the same for all who pull it."""
    text = DOCKERFILE.read_text()
    assert text.index("/dev/null /opt/airflow/airflow.cfg") < text.index("&& airflow version")


def test_what_tasks_and_workers_import_is_tried_at_build_time() -> None:
    tried = " ".join(re.findall(r'python -c "(.+)"', DOCKERFILE.read_text()))
    for name in ("mlflow", "redis", "talib", "CeleryExecutor"):
        assert re.search(rf"\b{name}\b", tried), name
