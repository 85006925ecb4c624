"""Runbooks: one per alert, and about commands, services, DAGs and files that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.cli import COMMANDS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/runbooks"
INDEX = FOLDER / "README.md"
RUNBOOKS = sorted(path for path in FOLDER.glob("*.md") if path != INDEX)
PARTS = ["First look", "Causes, the most likely first", "Leave it alone when", "It is over when"]
COMPOSE = r"docker compose (?:ps|up -d|restart|exec|logs --tail \d+)((?: (?!psql|airflow )[a-z-]+)+)"
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def alerts() -> dict[str, dict[str, Any]]:
    files = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
    groups = [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def path_of(alert: str) -> str:
    """CandlesStale: docs/runbooks/candles-stale.md."""
    return f"docs/runbooks/{re.sub(r'(?<!^)(?=[A-Z])', '-', alert).lower()}.md"


def code_in(text: str) -> str:
    """What stands between backticks, in fences and in lines."""
    return "\n".join(FENCE.findall(text) + re.findall(r"`([^`\n]+)`", FENCE.sub("", text)))


def make_targets() -> set[str]:
    rules = re.findall(r"^([a-z][a-z -]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {target for names in rules for target in names.split()}


def unknown_in(text: str) -> list[str]:
    """What a runbook names and the repository does not have."""
    code = code_in(text)
    compose = [ROOT / "docker-compose.yaml", *(ROOT / "deploy/compose").glob("*.yaml")]
    services = {name for path in compose for name in yaml.safe_load(path.read_text())["services"]}
    dags = {path.stem for path in (ROOT / "dags").glob("*.py")}
    named = {
        "make": (set(re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)", code)), make_targets()),
        "include.cli": (set(re.findall(r"include\.cli ([a-z-]+)", code)), set(COMMANDS)),
        "service": ({name for names in re.findall(COMPOSE, code) for name in names.split()}, services),
        "DAG": (set(re.findall(r"dags (?:trigger|unpause) (\w+)", code)), dags),
    }
    found = [f"{kind} {name}" for kind, (names, known) in named.items() for name in sorted(names - known)]
    files = re.findall(r"\b(?:include|dags|plugins|deploy|sql)/[\w./-]*\w", code)
    links = [f"docs/runbooks/{link}" for link in re.findall(r"\]\(([^)#]+)", text)]
    return found + [f"file {name}" for name in files + links if not (ROOT / name).exists()]


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    assert {path.relative_to(ROOT).as_posix() for path in RUNBOOKS} == {path_of(alert) for alert in alerts()}
    assert {name: rule["annotations"].get("runbook_url") for name, rule in alerts().items()} == {
        name: path_of(name) for name in alerts()
    }


def test_index_lists_every_alert_with_its_severity() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\(([\w-]+\.md)\) \| (\w+) \| \S", INDEX.read_text(), re.MULTILINE)
    assert sorted((name, f"docs/runbooks/{link}", severity) for name, link, severity in rows) == sorted(
        (name, path_of(name), rule["labels"]["severity"]) for name, rule in alerts().items()
    )


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_runbook_says_what_is_needed_at_night(path: Path) -> None:
    text = path.read_text()
    title, severity = re.findall(r"\A# (\w+)\n\n\*Severity: (\w+)\.\* \S", text)[0]
    assert path_of(title) == path.relative_to(ROOT).as_posix()
    assert severity == alerts()[title]["labels"]["severity"]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert 25 <= len(text.splitlines()) <= 45


@pytest.mark.parametrize("path", [INDEX, *RUNBOOKS], ids=lambda path: path.stem)
def test_runbook_names_what_exists(path: Path) -> None:
    assert unknown_in(path.read_text()) == []


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("`make stat`", "make stat"),
        ('```sh\nmake budget ARGS="--json"\n```', "make budget"),
        ("`python -m include.cli budget`", "include.cli budget"),
        ("```sh\ndocker compose logs --tail 50 scheduler\n```", "service scheduler"),
        ("`docker compose restart airflow-scheduler airflow-workers`", "service airflow-workers"),
        ("`airflow dags trigger repair`", "DAG repair"),
        ("`include/venue/`", "file include/venue"),
        ("[there](nowhere.md#at-all)", "file docs/runbooks/nowhere.md"),
    ],
)
def test_a_planted_error_is_found(text: str, unknown: str) -> None:
    assert unknown_in(text) == [unknown]
