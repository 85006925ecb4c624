"""The compose files as the real Compose reads them, with a .env as deploy/make_env.sh writes it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yaml"
MONITORING = ROOT / "deploy/compose/monitoring.yaml"
PRODUCTION = ROOT / "deploy/compose/production.yaml"
REPLAY = ROOT / "deploy/compose/replay.yaml"
EVERY_PROFILE = ("monitoring", "celery")
MAKE_ENV = ("deploy/make_env.sh", ".env.example")


def make_env_folder(folder: Path) -> Path:
    """A folder with all that deploy/make_env.sh needs."""
    (folder / "deploy").mkdir()
    for name in MAKE_ENV:
        (folder / name).write_text((ROOT / name).read_text())
    return folder


@pytest.fixture(scope="session")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make_env.sh writes, and a release as production demands it. Not to be changed."""
    folder = make_env_folder(tmp_path_factory.mktemp("env"))
    subprocess.run(["sh", folder / "deploy/make_env.sh"], check=True, capture_output=True)
    with (folder / ".env").open("a") as file:
        file.write("CRYPTO_MARKET_RELEASE=2026-11-21\n")
    return folder / ".env"


Compose = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def compose(env_file: Path) -> Compose:
    """Run `docker-compose config` on files, with profiles: by default the base file alone and every profile."""
    program = Path(sys.executable).parent / "docker-compose"
    if sys.platform != "linux":
        pytest.skip("the lock brings docker-compose on Linux only")

    def run(
        *arguments: str,
        files: Sequence[Path] = (COMPOSE,),
        profiles: Sequence[str] = EVERY_PROFILE,
        env: Path = env_file,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        command = [str(program), "--env-file", str(env), *(word for file in files for word in ("-f", str(file)))]
        return subprocess.run(
            [*command, "config", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={"PATH": os.environ["PATH"], "COMPOSE_PROFILES": ",".join(profiles), **variables},
        )

    return run


Services = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture(scope="session")
def services(compose: Compose) -> Services:
    """The services as Compose would start them, by name; each question is asked once."""
    answers: dict[tuple[object, ...], dict[str, dict[str, Any]]] = {}

    def read(files: Sequence[Path] = (COMPOSE,), profiles: Sequence[str] = EVERY_PROFILE) -> dict[str, dict[str, Any]]:
        question = (tuple(files), tuple(profiles))
        if question not in answers:
            done = compose("--format", "json", files=files, profiles=profiles)
            assert done.returncode == 0, done.stderr
            answers[question] = json.loads(done.stdout)["services"]
        return answers[question]

    return read


@pytest.fixture
def altered(tmp_path: Path) -> Callable[[Path, str, str], Path]:
    """A copy of the repository's compose files with one text replaced in one of them; gives the path of that copy."""

    def alter(file: Path, old: str, new: str) -> Path:
        shutil.copy(COMPOSE, tmp_path)
        shutil.copytree(ROOT / "deploy/compose", tmp_path / "deploy/compose")
        copy = tmp_path / file.relative_to(ROOT)
        text = copy.read_text()
        assert old in text
        copy.write_text(text.replace(old, new, 1))
        return copy

    return alter
