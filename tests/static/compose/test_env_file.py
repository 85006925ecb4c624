""".env: what the example names, what deploy/make_env.sh makes of it, what it leaves alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.static.compose.conftest import make_env_folder

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / ".env.example").read_text()
COMPOSE_FILES = (ROOT / "docker-compose.yaml", *(ROOT / "deploy/compose").glob("*.yaml"))


def values(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))


def make_env(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", folder / "deploy/make_env.sh", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_env_folder(tmp_path)


def test_example_and_compose_name_the_same_variables() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", "".join(path.read_text() for path in COMPOSE_FILES)))
    named = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert used | {"COMPOSE_PROFILES", "COMPOSE_FILE"} == named


def test_every_variable_of_the_example_is_explained() -> None:
    bare = []
    comment = False
    for line in EXAMPLE.splitlines():
        if re.match(r"# (?!--)", line):
            comment = True
        elif not line or line.startswith("# --"):
            comment = False
        elif re.match(r"#?[A-Z_]+=", line) and not comment:
            bare.append(line)
    assert bare == ["REPLAY_PORT=9009"]  # its heading says all


def test_secrets_are_random_and_safe_in_a_url(folder: Path) -> None:
    assert make_env(folder).returncode == 0
    written = values((folder / ".env").read_text())
    secrets = {name: written[name] for name, value in values(EXAMPLE).items() if not value}
    assert len(secrets) == len(set(secrets.values())) == 16
    assert all(re.fullmatch(r"[\w-]{43,64}=?", secret, re.ASCII) for secret in secrets.values())
    assert (folder / ".env").stat().st_mode & 0o077 == 0
    assert {name: value for name, value in written.items() if name not in secrets} == {
        name: value for name, value in values(EXAMPLE).items() if value
    }


def test_an_existing_env_is_left_alone(folder: Path) -> None:
    (folder / ".env").write_text("MINE=1\n")
    done = make_env(folder)
    assert done.returncode == 1
    assert "--add" in done.stderr
    assert (folder / ".env").read_text() == "MINE=1\n"
    assert not (folder / ".env.new").exists()


def test_what_a_newer_release_needs_is_added(folder: Path) -> None:
    old = "POSTGRES_PASSWORD=kept\nCOMPOSE_PROFILES=\nMINE=1"  # the last line not ended, as editors leave it
    (folder / ".env").write_text(old)
    done = make_env(folder, "--add")
    assert done.returncode == 0
    added = (folder / ".env").read_text()
    assert added.startswith(old + "\n")
    assert values(added).keys() == values(EXAMPLE).keys() | {"MINE"}
    assert added.count("POSTGRES_PASSWORD=") == added.count("COMPOSE_PROFILES=") == 1
    assert values(added)["REDIS_PASSWORD"]
    assert "added REDIS_PASSWORD" in done.stdout
    assert values(added)["REDIS_PASSWORD"] not in done.stdout
    assert (folder / ".env").stat().st_mode & 0o077 == 0
    before = (folder / ".env").read_bytes()
    assert make_env(folder, "--add").stdout == ""
    assert (folder / ".env").read_bytes() == before


def test_nothing_is_added_to_no_env(folder: Path) -> None:
    assert make_env(folder, "--add").returncode == 1
    assert not (folder / ".env").exists()
