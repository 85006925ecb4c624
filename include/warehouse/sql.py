"""SQL statements from files in sql/, rendered with Jinja2 (the engine Airflow itself renders them with)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

SQL_FOLDER = Path(__file__).parents[2] / "sql"

# Names of tables, columns and types, or lists of them in one text; nothing that could end a statement or a literal.
_NAME = re.compile(r"[A-Za-z0-9_., ()]*", re.ASCII)

# Statements by file and names: there are few of them, and rendering costs more than a short statement's execution.
# Bounded, since whoever asks the data API for columns chooses names.
MOST_RENDERED = 1000
_rendered: dict[tuple[str, str], str] = {}


class UnsafeNameError(ValueError):
    """A name handed to a template holds characters that names of tables, columns and types never have."""


@cache
def _environment() -> Environment:
    return Environment(  # noqa: S701 - SQL is no HTML; names are checked, values are bound by psycopg
        loader=FileSystemLoader(SQL_FOLDER), undefined=StrictUndefined, keep_trailing_newline=False
    )


def _check(name: str, value: object) -> None:
    if isinstance(value, str):
        if not _NAME.fullmatch(value):
            raise UnsafeNameError(f"{name}={value!r} is not a name; bind values as parameters instead")
    elif isinstance(value, Mapping):
        for key, part in value.items():
            _check(name, key)
            _check(name, part)
    elif isinstance(value, Sequence):
        for part in value:
            _check(name, part)
    elif not isinstance(value, bool | int):
        raise UnsafeNameError(f"{name}={value!r} is not a name, a number or a list of them")


def statement(name: str, **names: object) -> str:
    """Text of `sql/<name>` with `names` (identifiers, not values) filled in.

    Values are bound by psycopg as `%(parameter)s`. Raises jinja2.TemplateNotFound for a file that is not there,
    jinja2.UndefinedError for a name that is missing, UnsafeNameError for a name that is none.
    """
    filled = (name, repr(names))
    text = _rendered.get(filled)
    if text is None:
        for key, value in names.items():
            _check(key, value)
        text = _environment().get_template(name).render(names)
        if len(_rendered) >= MOST_RENDERED:
            _rendered.clear()
        _rendered[filled] = text
    return text
