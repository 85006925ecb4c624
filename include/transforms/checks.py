"""What must hold of the schema mart after a run: columns of its view mart.audit, for Airflow's SQLTableCheckOperator.

The view and the candles are read in one snapshot, and candles that are pending are granted; so a failed check is a
fault, and not a run that something overtook.
"""

from __future__ import annotations

from collections.abc import Mapping

# Each counts rows that break the rule its name says.
COUNTS = (
    "means_out_of_range",
    "means_without_venue",
    "days_with_impossible_hours",
    "negative_volumes",
    "ranks_out_of_range",
    "wrong_universe_sizes",
    "ranked_days_without_winner",
    "alerts_below_threshold",
    "alerts_in_wrong_direction",
    "hours_unlike_candles",
    "volumes_unlike_candles",
)

MART_CHECKS: dict[str, dict[str, str]] = {
    **{f"no_{name}": {"check_statement": f"{name} = 0"} for name in COUNTS},
    "not_behind_the_candles": {"check_statement": "behind_the_candles = interval '0'"},
}


def checks_statement(table: str, checks: Mapping[str, Mapping[str, str]]) -> str:
    """SQL that answers every check of a table of one row, as check_name and check_result, and reads it once.

    SQLTableCheckOperator's own statement reads the table once for each check.
    """
    names = ", ".join(f"'{name}'" for name in checks)
    results = ", ".join(f"({check['check_statement']}) is true" for check in checks.values())
    judged = f"cross join lateral unnest(array[{names}], array[{results}]) as v (check_name, check_result)"
    return f"select v.check_name, v.check_result from {table} {judged}"  # noqa: S608 - names and checks are ours
