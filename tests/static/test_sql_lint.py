"""SQL that is a Jinja template: what its caller makes of it keeps the rules of .sqlfluff, as every other file does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import sqlfluff
from sqlfluff.core import FluffConfig

from include.config.transforms import USUAL_FIGURES
from include.features.registry import NAMES
from include.features_check.rules import allowances, presences, template_names
from include.forecasting.inputs import FEATURES_USED
from include.venues.model import CoinSnapshot
from include.warehouse import tickers
from include.warehouse.archive_file import CANDLE, TICKER
from include.warehouse.candles import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, VALUE_COLUMNS
from include.warehouse.snapshots import KEY_COLUMNS
from include.warehouse.sql import SQL_FOLDER, statement

ROOT = SQL_FOLDER.parent
LONGEST_LINE = 120


def snapshot(target: str, columns: Sequence[str]) -> dict[str, object]:
    staging = f"{target.split('.')[1]}_staging"
    return {"staging": staging, "target": target, "keys": columns[:KEY_COLUMNS], "columns": columns[KEY_COLUMNS:]}


def checked() -> dict[str, object]:
    """Names of the checks' templates; of what they repeat per column and timeframe a few, which take no minute."""
    few = [presence._asdict() for presence in presences()[::9]]
    hours = {timeframe: allowed for timeframe, allowed in allowances().items() if timeframe in ("1h", "1d")}
    return {**template_names(is_full=False), "columns": NAMES[:3], "presences": few, "allowances": hours}


# Template, and the names its callers fill it in with.
RENDERED: list[tuple[str, dict[str, object]]] = [
    ("archive/candle/restore_month.sql", {"columns": VALUE_COLUMNS}),
    ("archive/candle/select_month.sql", {"columns": CANDLE.columns}),
    ("archive/ticker/lock_month.sql", {"partition": "market.ticker_2024_01"}),
    ("archive/ticker/restore_month.sql", {"columns": TICKER.columns}),
    ("archive/ticker/select_month.sql", {"columns": TICKER.columns}),
    ("checks/broken_rows.sql", checked()),
    ("checks/column_ranges.sql", checked()),
    ("checks/judged_rows.sql", checked()),
    ("checks/out_of_range.sql", checked()),
    ("checks/row_rules.sql", checked()),
    ("checks/select_tail.sql", {"columns": NAMES}),
    ("checks/series.sql", checked()),
    (
        "export/select_view.sql",
        {
            "view": "ohlcv",
            "time_column": "opened_at",
            "keys": ["venue", "opened_at"],
            "columns": [{"name": "venue", "is_time": False}, {"name": "opened_at", "is_time": True}],
        },
    ),
    ("features/copy_in.sql", {"columns": ["opened_at", *NAMES]}),
    ("features/create_view.sql", {"columns": NAMES}),
    ("features/upsert_feature.sql", {"columns": NAMES}),
    ("forecast/select_features.sql", {"features": list(FEATURES_USED)}),
    ("maintenance/count_old_rows.sql", {"table": "ops.pipeline_run", "at": "finished_at"}),
    ("maintenance/delete_old_rows.sql", {"table": "ops.pipeline_run", "at": "finished_at"}),
    ("serving/as_json.sql", {"selection": "rankings", "key": ["day", "crypto"]}),
    ("serving/chart.sql", {"columns": ["rsi_14", "sma_7"]}),
    ("serving/chart.sql", {"columns": []}),
    ("serving/features.sql", {"columns": list(NAMES)}),
    ("serving/forecast_series.sql", {}),
    ("serving/newest.sql", {}),
    ("transforms/upsert_candle_flag.sql", {"figures": list(USUAL_FIGURES)}),
    ("transforms/upsert_daily_ranking.sql", {}),
    ("transforms/upsert_daily_volume.sql", {}),
    ("transforms/upsert_hourly_price.sql", {}),
    ("transforms/upsert_price_alert.sql", {}),
    (
        "upsert/create_staging.sql",
        {"staging": "candle_staging", "target": "market.candle", "columns": ["opened_at", *VALUE_COLUMNS]},
    ),
    (
        "upsert/upsert_candle.sql",
        {"columns": VALUE_COLUMNS, "required": REQUIRED_COLUMNS, "optional": OPTIONAL_COLUMNS},
    ),
    ("upsert/upsert_snapshot.sql", snapshot("market.ticker", tickers.COLUMNS)),
    ("upsert/upsert_snapshot.sql", snapshot("market.coin_snapshot", CoinSnapshot._fields)),
]
TEMPLATES = {name for name, _ in RENDERED}


def findings(text: str, *, but: Sequence[str] = ()) -> list[str]:
    """What sqlfluff finds in a statement by the project's rules, parse errors (PRS) included, less the rules `but`."""
    project = FluffConfig.from_path(str(ROOT)).get("exclude_rules")
    config = FluffConfig.from_path(str(ROOT), overrides={"exclude_rules": ",".join([project, *but])})
    found = sqlfluff.lint(text, config=config)
    return [f"line {each['start_line_no']}: {each['code']} {each['description']}" for each in found]


def test_every_template_is_rendered_here_and_every_other_file_is_linted_as_it_is() -> None:
    files = {path.relative_to(SQL_FOLDER).as_posix(): path.read_text() for path in SQL_FOLDER.rglob("*.sql")}
    templates = {name for name, text in files.items() if "{{" in text or "{%" in text or "{#" in text}
    ignored = [line for line in (ROOT / ".sqlfluffignore").read_text().splitlines() if line and line[0] != "#"]
    assert templates == TEMPLATES
    assert ignored == sorted(f"sql/{name}" for name in TEMPLATES)


@pytest.mark.parametrize(("name", "names"), RENDERED, ids=[f"{name} {n.get('target', '')}" for name, n in RENDERED])
def test_a_rendered_template_keeps_the_rules(name: str, names: dict[str, object]) -> None:
    # Lists of columns are filled in on one line, however long; the template's own lines are measured below.
    assert findings(statement(name, **names) + "\n", but=["LT05"]) == []


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_lines_of_a_template_are_short_and_the_last_one_ends(name: str) -> None:
    text = (SQL_FOLDER / name).read_text()
    assert [line for line in text.splitlines() if len(line) > LONGEST_LINE or line != line.rstrip()] == []
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize(
    ("sound", "planted", "code"),
    [
        ("from staged as s", "from staged s", "AL01"),
        ("left join", "LEFT JOIN", "CP01"),
        ("\n    from staged as s", "\n  from staged as s", "LT02"),
        ("and s.opened_at = t.opened_at", "and opened_at = t.opened_at", "RF02"),
        ("from staged as s", "form staged as s", "PRS"),
    ],
)
def test_a_planted_error_is_found(sound: str, planted: str, code: str) -> None:
    text = statement("features/upsert_feature.sql", columns=NAMES[:1]) + "\n"
    assert sound in text
    assert findings(text) == []
    assert code in {finding.split()[2] for finding in findings(text.replace(sound, planted))}
