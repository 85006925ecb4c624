"""docs/reference/transforms.md names every column, rule and check there is, and the settings as they are."""

from __future__ import annotations

from include.config import transforms as settings
from include.stack.layout import ROOT
from include.transforms.checks import COUNTS
from include.warehouse.connection import Connection

TEXT = (ROOT / "docs" / "reference" / "transforms.md").read_text()


def test_every_column_and_word_of_the_tables_is_explained(reader: Connection) -> None:
    columns = {name for (name,) in reader.execute(
        "select column_name from information_schema.columns where table_schema = 'mart'"
    )}  # fmt: skip
    assert len(columns) > 50
    assert {name for name in columns if f"`{name}`" not in TEXT and name not in TEXT} == set()
    words = reader.execute(
        "select distinct (regexp_matches(pg_get_constraintdef(oid), '''([a-z_]+)''::text', 'g'))[1] "
        "from pg_constraint where connamespace = 'mart'::regnamespace"
    ).fetchall()
    assert {word for (word,) in words if f"`{word}`" not in TEXT} == set()


def test_every_check_is_a_column_of_the_audit(reader: Connection) -> None:
    columns = {name for (name,) in reader.execute(
        "select column_name from information_schema.columns where table_schema = 'mart' and table_name = 'audit'"
    )}  # fmt: skip
    assert columns == {*COUNTS, "behind_the_candles"}


def test_the_settings_are_those_in_the_text() -> None:
    assert f"**fires** at {settings.ALERT_PERCENT} % or more" in TEXT
    assert f"**below {settings.ALERT_AGAIN_BELOW_PERCENT} %**" in TEXT
    assert f"more than {settings.OFF_MARKET_PERCENT} % from the median" in TEXT
    assert f"one of the {settings.USUAL_WITHIN_BARS} open times before" in TEXT
    assert f"2 times the low (days: {settings.DAILY_SPIKE.wick})" in TEXT
    assert f"{settings.INTRADAY_SPIKE.jump} times (days: {settings.DAILY_SPIKE.jump})" in TEXT
    assert f"`historic`: known more than {settings.NOTIFY_WITHIN.total_seconds() / 3600:.0f} hours after" in TEXT
