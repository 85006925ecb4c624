"""`new-venue NAME`: a client, its twin, its test and its table rows, which work before anything is filled in.

They speak a small shape of their own, described at the head of the client; docs/how-to/add-a-venue.md tells how they
become an exchange's. Nothing that is there is overwritten.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from pathlib import Path
from string import Template

ROOT = Path(__file__).parents[2]
TEMPLATES = Path(__file__).parent / "templates"
# Where each file goes, below the repository, and what it is made of.
FILES = {
    "include/venues/{name}.py": "client.py.txt",
    "include/replay/{name}.py": "twin.py.txt",
    "tests/integration/test_{name}_contract.py": "test.py.txt",
}
# Tables and the row each gets, before the brace that ends the table.
CAPABILITIES = "include/venues/capabilities.py"
REGISTRY = "include/venues/registry.py"
TABLES = {
    CAPABILITIES: ("CAPABILITIES: ", "capabilities.txt"),
    REGISTRY: ("MARKET_VENUES: ", "registry.txt"),
}
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_NAME = 24
# Of the test, whose order depends on the name.
_IMPORTS = (
    "from include.candles.timeframes import floor, step",
    "from include.candles.validate import fault",
    "from include.replay.clock import ReplayClock",
    "from include.replay.synthetic import SyntheticWorld",
    "from include.replay.{name} import {title} as Twin",
    "from include.venues.capabilities import CAPABILITIES",
    "from include.venues.errors import NoDataError, UnknownSymbolError, VenueError",
    "from include.venues.http import RequestsTransport, Response, Retry",
    "from include.venues.{name} import {title}",
)
_NEXT = """
It works already: .venv/bin/python -m pytest tests/integration/test_{name}_contract.py

To be done by hand (docs/how-to/add-a-venue.md):
  - make twin, test and client those of the exchange, in this order; its limits in {capabilities}
  - the twin's place in include/replay/app.py, and its markets in include/replay/synthetic_venues.py
  - a connection and a pool named {name} in airflow_settings.yaml
  - its markets in include/config/markets.py"""


class ScaffoldError(Exception):
    """The venue cannot be made here; the message says why. Nothing was written."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("name", metavar="NAME", help="our name of the exchange, e.g. bitstamp")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")


def run(args: argparse.Namespace) -> int:
    """Make the files and say what is left to be done; 2 where they cannot be made."""
    try:
        written = new_venue(args.root, args.name)
    except ScaffoldError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(f"{'changed' if path in TABLES else 'made':8}{path}")
    print(_NEXT.format(name=args.name, capabilities=CAPABILITIES))
    return 0


def new_venue(root: Path, name: str) -> list[str]:
    """Write the venue's files below `root`, and its rows into the tables; their paths, relative to `root`.

    Raises ScaffoldError, before anything is written, for an illegal or taken name, and for a table that is not found.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME or keyword.iskeyword(name):
        raise ScaffoldError(
            f"{name!r} is no name for a venue: small letters, digits and single underscores, a letter first,"
            f" {_LONGEST_NAME} characters at most, and no keyword of Python"
        )
    made = {path.format(name=name): _filled(template, name) for path, template in FILES.items()}
    for path in made:
        if (root / path).exists():
            raise ScaffoldError(f"{path} is there already")
        if not (root / path).parent.is_dir():
            raise ScaffoldError(f"no folder for {path} in {root}: is it a checkout of the repository?")
    made |= {
        path: _with_row(root / path, start, _filled(template, name), name) for path, (start, template) in TABLES.items()
    }
    for path, text in made.items():
        (root / path).write_text(text)
    return list(made)


def _filled(template: str, name: str) -> str:
    title = "".join(part.capitalize() for part in name.split("_"))
    imports = sorted((line.format(name=name, title=title) for line in _IMPORTS), key=lambda line: line.split()[1])
    text = (TEMPLATES / template).read_text()
    return Template(text).substitute(venue=name, Venue=title, imports="\n".join(imports))


def _with_row(path: Path, start: str, row: str, name: str) -> str:
    """The table's file with the row at the end of the table. Raises ScaffoldError where it has one of that name."""
    text = path.read_text() if path.exists() else ""
    begin = text.find(f"\n{start}")
    end = text.find("\n}\n", begin)
    if begin < 0 or end < 0:
        raise ScaffoldError(f"no table `{start.strip()}` in {path} to put this into:\n{row}")
    if f'\n    "{name}": ' in text[begin:end]:
        raise ScaffoldError(f"{name} is in {path} already")
    return f"{text[: end + 1]}{row}{text[end + 1 :]}"
