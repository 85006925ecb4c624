"""Templates take names, never values."""

from __future__ import annotations

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from include.warehouse.sql import SQL_FOLDER, UnsafeNameError, statement


def test_names_are_filled_in() -> None:
    text = statement("upsert/create_staging.sql", staging="s", target="market.candle", columns=["open", "close"])
    assert "create temporary table if not exists s on commit delete rows as" in text
    assert "select open, close from market.candle" in text


def test_missing_name_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="columns"):
        statement("upsert/create_staging.sql", staging="s", target="t")


def test_missing_file_is_an_error() -> None:
    with pytest.raises(TemplateNotFound):
        statement("upsert/nothing.sql")


@pytest.mark.parametrize("name", ["x; drop table y", "x'", 'x"', "x--y", "x\ny", "ä", ["fine", "x;"], {"k": "'"}, 1.5])
def test_what_is_no_name_is_refused(name: object) -> None:
    with pytest.raises(UnsafeNameError):
        statement("upsert/create_staging.sql", staging="s", target="t", columns=name)


def test_every_file_begins_with_a_comment_that_says_what_it_does() -> None:
    bare = [path.name for path in SQL_FOLDER.rglob("*.sql") if not path.read_text().startswith("-- ")]
    assert bare == []
