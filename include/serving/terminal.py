"""Answers on a terminal: what is printed, in which form, and the exit status that says how far it can be trusted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
import psycopg

from include.api.formats import as_json
from include.clock import Clock, clock_from_environment
from include.serving.selection import Answer, Rows, Selection, Snapshot, UnknownSubjectError
from include.serving.trust import Trust
from include.warehouse.connection import DSN_VARIABLE, UnnamedWarehouseError, connect, dsn_of_command

STATUS = "Exit status: 0 where everything was answered, 1 where an answer abstains, 2 where nothing could be asked."
ANSWERED, ABSTAINED, NOT_ASKED = 0, 1, 2


class Section(NamedTuple):
    """One answer. name: its key in JSON. columns: of its rows, those that a table shows."""

    name: str
    title: str
    answer: Answer
    columns: Sequence[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of every command that answers."""
    parser.add_argument("--from", dest="start", type=time, metavar="TIME", help="first time (UTC, ISO 8601)")
    parser.add_argument("--to", dest="end", type=time, metavar="TIME", help="times before this one (default: now)")
    parser.add_argument("--untrusted", action="store_true", help="also print the rows of an answer that abstains")
    parser.add_argument(
        "--json", action="store_true", help="print JSON: an object per answer, as the data API has them"
    )
    parser.add_argument("--dsn", help=f"the warehouse (default: the environment's {DSN_VARIABLE})")
    parser.epilog = STATUS


def answer(
    questions: Callable[[Snapshot], Sequence[Section]],
    options: argparse.Namespace,
    environ: Mapping[str, str],
    clock: Clock | None,
) -> int:
    """Ask in one snapshot, print, and say by the exit status what came of it."""
    if options.start and options.end and options.start >= options.end:
        print("--from has to lie before --to", file=sys.stderr)
        return NOT_ASKED
    try:
        now = (clock or clock_from_environment(environ)).now()
        with _look(dsn_of_command(options.dsn, environ), now) as look:
            sections = questions(look)
            rows = [_rows(look, section.answer, untrusted=options.untrusted) for section in sections]
    except (UnnamedWarehouseError, UnknownSubjectError, psycopg.Error, OSError) as error:
        print(str(error).strip(), file=sys.stderr)
        return NOT_ASKED
    if options.json:
        told = {
            section.name: {**_of_trust(section.answer.trust), "data": orjson.Fragment(as_json(each))}
            for section, each in zip(sections, rows, strict=True)
        }
        print(orjson.dumps(told).decode())
    else:
        print("\n\n".join(_told(section, each) for section, each in zip(sections, rows, strict=True)))
    return ABSTAINED if any(section.answer.trust.reasons for section in sections) else ANSWERED


def time(text: str) -> datetime:
    """A time of the command line; without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


@contextmanager
def _look(dsn: str, now: datetime) -> Iterator[Snapshot]:
    with connect(dsn) as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        row = connection.execute("select w.world from ops.world as w").fetchone()
        yield Snapshot(connection, now, row[0] if row else None)


def _rows(look: Snapshot, answer: Answer, *, untrusted: bool) -> Rows:
    if answer.trust.reasons and not untrusted:
        return Rows([], [], [])
    found = answer.selection
    return found.rows(look.connection) if isinstance(found, Selection) else found.all_rows


def _of_trust(trust: Trust) -> dict[str, Any]:
    return {**asdict(trust), "verdict": trust.verdict}


def _told(section: Section, rows: Rows) -> str:
    trust = section.answer.trust
    facts = [
        f"as of {cell(trust.as_of)} UTC",
        f"complete until {cell(trust.complete_until)} UTC" if trust.complete_until else "",
        f"{trust.completeness_percent:.2f} % complete" if trust.completeness_percent is not None else "",
        f"{trust.world} world" if trust.world else "",
    ]
    head = f"{section.title}: {trust.verdict if not trust.reasons else trust.verdict.upper()}"
    lines = [head, f"  {', '.join(filter(None, facts))}"]
    lines += [f"  {reason.code}: {reason.text}" for reason in trust.reasons]
    if rows.values:
        lines += table(rows.as_dicts(), section.columns)
    elif not trust.reasons:
        lines += ["  no rows"]
    return "\n".join(lines)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """Aligned lines of these columns under their names, numbers to the right."""
    lines = [tuple(columns), *(tuple(cell(row[name]) for name in columns) for row in rows)]
    widths = [max(map(len, each)) for each in zip(*lines, strict=True)]
    is_number = [any(isinstance(row[name], int | float | Decimal) for row in rows) for name in columns]
    aligned = [
        [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, is_number, strict=True)
        ]
        for line in lines
    ]
    return ["    " + "  ".join(line).rstrip() for line in aligned]


def cell(value: Any) -> str:
    """A value for people: times in UTC to the minute, decimals with every digit, `-` for none."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds() / 3600:g} h"
        case Decimal():
            return format(value, "f")
        case float():
            return f"{value:.6g}"
        case list():
            return " ".join(map(cell, value)) or "-"
        case _:
            return str(value)
