"""SECURITY.md names, for every attack, a test that tries it: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_threat_model_names_is_there() -> None:
    page = (ROOT / "SECURITY.md").read_text()
    present = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    rows = re.findall(r"^\|.*\|$", page, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([\w/]*test\w*(?:/\w+)*(?:\.py)?)`", row)}
    assert len(named) > 12
    missing = [
        name for name in sorted(named) if not (ROOT / name).exists() and not ("/" not in name and name in present)
    ]
    assert missing == []
