"""The ages: what is used for longer may not be thrown away earlier."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from math import prod
from pathlib import Path

import pytest
import yaml

from include.config.retention import FEWEST_DAYS, RETENTION, Retention
from include.maintenance.rows import TRIMMED

RULES = Path(__file__).parents[3] / "deploy/prometheus/rules/runs.yml"


def test_every_setting_has_a_least_age_and_keeps_it() -> None:
    assert {each.name for each in fields(Retention)} == set(FEWEST_DAYS)
    assert all(getattr(RETENTION, name) >= least for name, least in FEWEST_DAYS.items())


@pytest.mark.parametrize("name", FEWEST_DAYS)
def test_an_age_below_its_least_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        replace(RETENTION, **{name: FEWEST_DAYS[name] - 1})


def test_every_table_that_is_trimmed_has_a_setting() -> None:
    assert {each.setting for each in TRIMMED} <= set(FEWEST_DAYS)


def test_a_success_is_kept_for_longer_than_an_alert_waits_for_the_next() -> None:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    expression = next(rule["expr"] for rule in group["rules"] if rule.get("alert") == "DagWithoutSuccess")
    limits = [prod(map(int, each.split(" * "))) for each in re.findall(r"\} > (\d+(?: \* \d+)*)", expression)]
    assert len(limits) == expression.count(" > ") == 5
    assert max(limits) == 63 * 86_400
    assert max(limits) < FEWEST_DAYS["airflow_metadata"] * 86_400, "the success is gone before the alert can fire"
