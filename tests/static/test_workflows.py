"""GitHub's workflows: in GitHub's schema, without a finding of the auditor, and running what the README says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github/workflows"
TEST = FOLDER / "test.yml"
SCHEMA = ("check-jsonschema", "--builtin-schema", "vendor.github-workflows")
AUDIT = ("zizmor", "--offline", "--no-progress", "--no-config", "--strict-collection", "--persona", "pedantic")


@pytest.fixture
def test_job() -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load(TEST.read_text())["jobs"]["test"]
    return job


@pytest.fixture
def altered(tmp_path: Path) -> Callable[[str, str], Path]:
    def alter(old: str, new: str) -> Path:
        text = TEST.read_text()
        assert old in text
        path = tmp_path / ".github/workflows/test.yml"
        path.parent.mkdir(parents=True)
        path.write_text(text.replace(old, new, 1))
        return path

    return alter


def test_workflows_are_in_the_schema(tool) -> None:
    done = tool(*SCHEMA, *FOLDER.glob("*.yml"))
    assert done.returncode == 0, done.stdout


def test_the_schema_refuses_a_misspelt_key(tool, altered) -> None:
    done = tool(*SCHEMA, altered("    timeout-minutes:", "    timeout-minute:"))
    assert "timeout-minute" in done.stdout
    assert done.returncode != 0


def test_the_auditor_finds_nothing(tool) -> None:
    done = tool(*AUDIT, FOLDER)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "@v4", "unpinned-uses"),
        ("        with:\n          persist-credentials: false\n", "", "artipacked"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("  pull_request:\n", "  pull_request_target:\n", "dangerous-triggers"),
        ("bash .ci/run", "echo ${{ github.event.pull_request.title }} && bash .ci/run", "template-injection"),
    ],
)
def test_the_auditor_sees_a_planted_error(tool, altered, old: str, new: str, finding: str) -> None:
    done = tool(*AUDIT, altered(old, new))
    assert finding in done.stdout
    assert done.returncode != 0


def test_every_promised_python_is_tried(test_job: dict[str, Any]) -> None:
    lowest, end = re.findall(
        r"3\.(\d+)", tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    )
    assert test_job["strategy"]["matrix"]["python"] == [f"3.{minor}" for minor in range(int(lowest), int(end))]


def test_it_runs_what_ci_runs_and_no_longer_than_an_hour(test_job: dict[str, Any]) -> None:
    assert test_job["steps"][-1] == {"run": "bash .ci/run"}
    assert test_job["timeout-minutes"] <= 60
    assert test_job["permissions"] == {"contents": "read"}
