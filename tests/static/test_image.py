"""The Dockerfile: linted, and in step with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
LINT = ("hadolint", "--no-color", "--config", ROOT / ".hadolint.yaml")


def test_dockerfile_has_no_finding(tool) -> None:
    done = tool(*LINT, DOCKERFILE)
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
    copied = re.findall(r"^COPY (?:--\S+ )*(\S+) /", DOCKERFILE.read_text(), re.MULTILINE)
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == allowed
    assert {"dags", "plugins", "include", "sql", "requirements.txt"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists(), name
