"""The ages: what is used for longer may not be thrown away earlier."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from include.config.retention import FEWEST_DAYS, RETENTION, Retention
from include.maintenance.rows import TRIMMED


def test_every_setting_has_a_least_age_and_keeps_it() -> None:
    assert {each.name for each in fields(Retention)} == set(FEWEST_DAYS)
    assert all(getattr(RETENTION, name) >= least for name, least in FEWEST_DAYS.items())


@pytest.mark.parametrize("name", FEWEST_DAYS)
def test_an_age_below_its_least_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        replace(RETENTION, **{name: FEWEST_DAYS[name] - 1})


def test_every_table_that_is_trimmed_has_a_setting() -> None:
    assert {each.setting for each in TRIMMED} <= set(FEWEST_DAYS)
