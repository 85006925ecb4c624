"""What must hold of the schema mart after a run: columns of its view mart.audit, for Airflow's SQLTableCheckOperator.

The view and the candles are read in one snapshot, and candles that are pending are granted; so a failed check is a
fault, and not a run that something overtook.
"""

from __future__ import annotations

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
