"""The rules of the house, checked on the source itself. Each check first makes sure that it looked at something."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {"dags", "plugins", "include", "sql", "tests", "docker-compose.yaml", "Dockerfile", "requirements.txt"}
# The two places that stand outside the replayed world: the launcher, and the clock a replay runs on.
MACHINE_CLOCK_ALLOWED = (
    "include/clock.py",
    "include/replay/",
    "include/stack/",
    "include/metrics/",
    "include/venues/http.py",
)
MACHINE_CLOCK = re.compile(
    r"datetime\.now|datetime\.utcnow|\btime\.time\(|date\.today|Timestamp\.now|pd\.Timestamp\.today"
)
HEAVY = {"pandas", "numpy", "sklearn", "mlflow", "ta", "matplotlib", "psycopg", "requests", "pyarrow", "scipy"}


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found, f"no source in {folders}"
    return found


def imported(path: Path, *, only_top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if only_top_level else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_top_level_is_complete() -> None:
    present = {path.name for path in ROOT.iterdir()}
    assert present >= TOP_LEVEL | {"airflow_settings.yaml"}


def test_include_never_imports_airflow() -> None:
    offenders = [name(p) for p in sources("include") if any(i.split(".")[0] == "airflow" for i in imported(p))]
    assert offenders == []


def test_imports_have_one_spelling() -> None:
    wrong = [
        (name(path), module)
        for path in sources("dags", "plugins", "include", "tests", "benchmarks")
        for module in imported(path)
        if module.split(".")[0] in {"plugins", "hooks", "operators", "venues", "candles", "warehouse"}
    ]
    assert wrong == []


def test_only_the_plugin_file_is_seen_by_airflows_loader() -> None:
    rules = [line for line in (ROOT / "plugins/.airflowignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules == ["*", "!*_plugin.py"]
    assert [p.name for p in (ROOT / "plugins").glob("*.py")] == ["crypto_market_plugin.py"]


def test_now_comes_from_the_injected_clock() -> None:
    offenders = [
        name(path)
        for path in sources("include", "plugins", "dags")
        if not name(path).startswith(MACHINE_CLOCK_ALLOWED) and MACHINE_CLOCK.search(path.read_text())
    ]
    assert offenders == []


@pytest.mark.parametrize("path", sources("dags"), ids=lambda path: path.stem)
def test_dag_files_are_wiring_only(path: Path) -> None:
    text = path.read_text()
    assert f'dag_id="{path.stem}"' in text, "the file's stem is the DAG's id"
    assert not re.search(r"\b(select|insert into|update|delete from)\s+\w", text, re.IGNORECASE), "SQL belongs in sql/"
    modules = {module.split(".")[0] for module in imported(path)}
    assert not modules & HEAVY
    assert len(text.splitlines()) < 120


def test_operators_import_nothing_heavy_at_module_level() -> None:
    offenders = {
        name(path): heavy
        for path in sources("plugins")
        if (heavy := {m.split(".")[0] for m in imported(path, only_top_level=True)} & HEAVY)
    }
    assert offenders == {}


def test_modules_stay_short() -> None:
    long = {name(p): n for p in sources("dags", "plugins", "include") if (n := len(p.read_text().splitlines())) > 300}
    assert long == {}


def test_no_test_folder_is_a_package() -> None:
    assert sources("tests")
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_certificates_are_always_verified() -> None:
    offenders = [
        name(p) for p in sources("dags", "plugins", "include") if re.search(r"verify\s*=\s*False", p.read_text())
    ]
    assert offenders == []


def tracked() -> dict[str, str]:
    """Mode of each file git tracks, by its path; skipped where there is no repository to ask."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git, or not a checkout: what is tracked cannot be asked")
    said = subprocess.run([git, "ls-files", "-s", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {path: about.split()[0] for about, _, path in (line.partition("\t") for line in said.split("\0") if line)}


def test_no_tracked_file_is_a_symbolic_link() -> None:
    modes = tracked()
    assert len(modes) > 100
    assert [path for path, mode in modes.items() if mode == "120000"] == [], "copies, archives and images break links"
