"""Environments of the peers: each in a folder of its own, from a pinned list, never among our dependencies."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
UV = (sys.executable, "-m", "uv")


def python_of(peer: str, folder: Path) -> str | None:
    """The interpreter of `folder/peer`, made from requirements-<peer>.txt where it is not there; None, saying why,
    where that cannot be done."""
    wanted = HERE / f"requirements-{peer}.txt"
    home, python = folder / peer, folder / peer / "bin" / "python"
    stamp = home / wanted.name  # written last: an interrupted installation is begun anew
    if stamp.exists() and stamp.read_text() == wanted.read_text():
        return str(python)
    shutil.rmtree(home, ignore_errors=True)
    print(f"installing {peer} into {home}", flush=True)
    # --python, since uv run as a module takes the environment it is in for the one that is meant.
    for command in (
        [*UV, "venv", "--quiet", "--python", sys.executable, str(home)],
        [*UV, "pip", "install", "--quiet", "--python", str(python), "--requirement", str(wanted)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{peer} cannot be installed and is left out: {done.stderr.strip().splitlines()[-1:]}", flush=True)
            return None
    stamp.write_text(wanted.read_text())
    return str(python)
