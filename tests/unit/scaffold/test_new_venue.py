"""`new-venue` on a copy of the repository: what it makes passes the checks every file must pass."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from include.scaffold.new_venue import ROOT, ScaffoldError, new_venue, run

CLIENT, TWIN = "include/venues/{name}.py", "include/replay/{name}.py"
TEST = "tests/integration/test_{name}_contract.py"
TABLES = ["include/venues/capabilities.py", "include/venues/registry.py"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the new files need of the repository."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "include", tmp_path / "include", ignore=unwanted)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "tests" / "integration").mkdir(parents=True)
    (tmp_path / "docs" / "pictures").mkdir(parents=True)
    for name in ("pyproject.toml", "tests/conftest.py", "docs/pictures/browser.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def passes(root: Path, *command: str) -> str:
    """Output of a Python module's run in the copy, which must end well."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=root, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*.py")}


def test_what_is_made_is_linted_typed_tested_and_known(copy: Path) -> None:
    before = contents(copy)
    written = new_venue(copy, "okx2_spot")
    made = [path.format(name="okx2_spot") for path in (CLIENT, TWIN, TEST)]
    assert written == made + TABLES
    after = contents(copy)
    assert {path for path in after if after[path] != before.get(path)} == set(written)
    passes(copy, "ruff", "check", "--no-cache", *written)
    passes(copy, "ruff", "format", "--check", "--no-cache", *written)
    passes(copy, "mypy", "--cache-dir", str(copy / "cache"), *made[:2], *TABLES)
    assert " passed" in passes(copy, "pytest", "-q", "-p", "no:cacheprovider", TEST.format(name="okx2_spot"))
    script = copy / "ask.py"
    script.write_text(
        "from include.venues.capabilities import CAPABILITIES\n"
        "from include.venues.http import RequestsTransport\n"
        "from include.venues.registry import market_venue\n"
        "print(type(market_venue('okx2_spot', RequestsTransport('http://x'))).__name__)\n"
        "print(CAPABILITIES['okx2_spot'].page_size)\n"
    )
    assert passes(copy, "ask").split() == ["Okx2Spot", "500"]


@pytest.mark.parametrize("name", ["a", "zeta_9", "exchange_of_longest_name"])
def test_whatever_the_name_the_files_are_formatted(copy: Path, name: str) -> None:
    written = new_venue(copy, name)
    passes(copy, "ruff", "check", "--no-cache", *written)
    passes(copy, "ruff", "format", "--check", "--no-cache", *written)


def test_nothing_is_overwritten(copy: Path) -> None:
    new_venue(copy, "acme")
    made = contents(copy)
    for name, taken in (("acme", "include/venues/acme.py"), ("world", TWIN), ("binance", CLIENT), ("http", CLIENT)):
        with pytest.raises(ScaffoldError, match=f"{taken.format(name=name)} is there already"):
            new_venue(copy, name)
    (copy / CLIENT.format(name="acme")).unlink()
    (copy / TWIN.format(name="acme")).unlink()
    (copy / TEST.format(name="acme")).unlink()
    with pytest.raises(ScaffoldError, match=r"acme is in .*capabilities.py already"):
        new_venue(copy, "acme")
    assert contents(copy) == {path: text for path, text in made.items() if "acme" not in path}


def test_without_its_table_nothing_is_written_and_the_row_is_told(copy: Path) -> None:
    (copy / "include/venues/registry.py").write_text("MARKET_VENUES = {}\n")
    before = contents(copy)
    with pytest.raises(ScaffoldError, match=r'"acme": \("include.venues.acme", "Acme"\)'):
        new_venue(copy, "acme")
    assert contents(copy) == before


def test_outside_a_checkout_nothing_is_written(copy: Path) -> None:
    (copy / "tests" / "integration").rmdir()
    before = contents(copy)
    with pytest.raises(ScaffoldError, match="is it a checkout"):
        new_venue(copy, "acme")
    assert contents(copy) == before


@pytest.mark.parametrize(
    "name", ["", "Acme", "9lives", "a__b", "_a", "a_", "a-b", "../a", "a/b", "class", "x" * 25, "ä"]
)
def test_a_name_that_is_none_is_refused(copy: Path, name: str) -> None:
    before = contents(copy)
    with pytest.raises(ScaffoldError, match="no name for a venue"):
        new_venue(copy, name)
    assert contents(copy) == before


def test_the_command_says_what_it_made_and_what_is_left(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argparse.Namespace(root=copy, name="acme")) == 0
    told = capsys.readouterr().out
    assert "made    include/venues/acme.py" in told
    assert "changed include/venues/registry.py" in told
    assert "a connection and a pool named acme in airflow_settings.yaml" in told
    assert run(argparse.Namespace(root=copy, name="acme")) == 2
    assert "there already" in capsys.readouterr().err
