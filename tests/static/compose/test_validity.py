"""Every way to combine the compose files and profiles is one that the real Compose accepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yaml"
FOLDER = ROOT / "deploy/compose"
OVERRIDES = {"production": FOLDER / "production.yaml", "replay": FOLDER / "replay.yaml"}
COMBINATIONS = ((), ("production",), ("replay",), ("replay", "production"))
PROFILES = ((), ("monitoring",), ("celery",), ("monitoring", "celery"))
SECRETS = re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.MULTILINE)


def files_of(overrides: tuple[str, ...]) -> tuple[Path, ...]:
    return (COMPOSE, *(OVERRIDES[name] for name in overrides))


@pytest.mark.parametrize("profiles", PROFILES, ids="+".join)
@pytest.mark.parametrize("overrides", COMBINATIONS, ids="+".join)
def test_every_combination_is_valid(compose, overrides: tuple[str, ...], profiles: tuple[str, ...]) -> None:
    done = compose("-q", files=files_of(overrides), profiles=profiles)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_every_file_is_one_of_the_tried_ones() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*OVERRIDES, "monitoring"}


def test_every_file_is_in_the_schema(tool) -> None:
    files = (COMPOSE, *sorted(FOLDER.glob("*.yaml")))
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *files)
    assert done.returncode == 0, done.stdout


def test_schema_refuses_a_misspelt_key(tool, altered) -> None:
    broken = altered(COMPOSE, "    healthcheck:", "    healthchek:")
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", broken)
    assert "healthchek" in done.stdout
    assert done.returncode != 0


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("docker-compose.yaml", "mlflow: {condition: service_started}", "mlfow: {condition: service_started}", "mlfow"),
        ("docker-compose.yaml", "networks: [broker]", "networks: [brokr]", "brokr"),
        ("deploy/compose/monitoring.yaml", "- grafana:/var/lib", "- grafna:/var/lib", "grafna"),
    ],
    ids=["dependency", "network", "volume"],
)
def test_compose_refuses_a_planted_error(compose, altered, file: str, old: str, new: str, complaint: str) -> None:
    altered_file = altered(ROOT / file, old, new)
    base = altered_file if file == "docker-compose.yaml" else altered_file.parents[2] / "docker-compose.yaml"
    done = compose("-q", files=(base,))
    assert complaint in done.stderr
    assert done.returncode != 0


@pytest.mark.parametrize("secret", SECRETS)
def test_every_secret_is_required(compose, env_file: Path, tmp_path: Path, secret: str) -> None:
    shortened = tmp_path / "short.env"
    shortened.write_text(re.sub(rf"^{secret}=.*$", f"{secret}=", env_file.read_text(), flags=re.MULTILINE))
    done = compose("-q", env=shortened)
    assert f"required variable {secret} is missing" in done.stderr
    assert done.returncode != 0


def test_production_demands_the_tag_of_a_release(compose, env_file: Path, tmp_path: Path) -> None:
    without = tmp_path / "without.env"
    without.write_text(env_file.read_text().replace("CRYPTO_MARKET_RELEASE=2026-11-21", ""))
    assert compose("-q", env=without).returncode == 0
    done = compose("-q", files=files_of(("production",)), env=without)
    assert "required variable CRYPTO_MARKET_RELEASE is missing" in done.stderr
    assert done.returncode != 0
