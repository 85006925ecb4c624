"""The pages' scripts and styles: whole, from this package alone, and without a way for data to become markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "plugins/crypto_market/ui"
STATIC = UI / "static"
PAGES = sorted((UI / "pages").glob("*.html"))
SCRIPTS = sorted(STATIC.glob("*.js"))
OURS = [*SCRIPTS, *STATIC.glob("*.css"), *PAGES]
SVG = "http://www.w3.org/2000/svg"  # a name, never asked for


def imported(script: Path) -> set[str]:
    """What a script imports, by its path below static/."""
    return set(re.findall(r'(?:from|import\()\s*"\./([^"]+)"', script.read_text()))


def loaded(page: Path) -> set[str]:
    """Every module that a page's scripts need."""
    found: set[str] = set()
    waiting = set(re.findall(r'<script [^>]*src="(?:\.\./)+static/([^"]+)"', page.read_text()))
    while waiting:
        name = waiting.pop()
        found.add(name)
        if not name.startswith("vendor/"):
            waiting |= imported(STATIC / name) - found
    return found


def offending(pattern: str) -> dict[str, list[str]]:
    """Where the pattern occurs in what we wrote, by file."""
    found = {path.name: re.findall(pattern, path.read_text().replace(SVG, "")) for path in OURS}
    return {name: hits for name, hits in found.items() if hits}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_what_a_page_needs_is_there(page: Path) -> None:
    named = set(re.findall(r'(?:src|href)="(?:\.\./)+static/([^"]+)"', page.read_text()))
    assert "theme.js" in loaded(page)
    assert {name for name in named | loaded(page) if not (STATIC / name).is_file()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_preloads_only_what_it_needs(page: Path) -> None:
    preloaded = set(re.findall(r'rel="modulepreload" href="(?:\.\./)+static/([^"]+)"', page.read_text()))
    assert preloaded - loaded(page) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_has_its_theme_before_it_is_seen(page: Path) -> None:
    assert re.search(r'static/theme\.js"[^>]*blocking="render"', page.read_text())


def test_no_script_is_left_over() -> None:
    used = set().union(*map(loaded, PAGES))
    assert [script.name for script in SCRIPTS if script.name not in used] == []


def test_nothing_is_asked_of_another_host() -> None:
    assert offending(r"https?://[^\s\"'`)]+|[\"'(]//\w") == {}


def test_data_never_becomes_markup() -> None:
    ways = "innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\\.write|eval|new Function"
    assert offending(rf"\b(?:{ways})\b") == {}
