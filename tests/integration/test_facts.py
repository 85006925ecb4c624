"""The facts of the databases on the metrics page: right, cheap to have, and no burden when a database is in trouble."""

from __future__ import annotations

import re
import socket
import threading
import time

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from include.metrics import collector as collector_module
from include.metrics.collector import FactsCollector, read_facts
from include.metrics.fact_queries import COLLECTED, FACTS, GUARD, QUERIES, UP
from include.metrics.receiver.mapping import Mapping, Target
from include.metrics.receiver.server import Receiver
from include.warehouse.sql import statement
from tests.integration.facts_world import EXPECTED, MOVING, Databases, samples


def collector(said: list[str] | None = None, refresh_seconds: float = 0, **dsns: str) -> FactsCollector:
    say = said.append if said is not None else lambda line: None
    return FactsCollector(dsns, time.monotonic, say, refresh_seconds=refresh_seconds)


def test_each_query_answers_the_columns_that_are_declared(databases: Databases) -> None:
    for query in (*QUERIES, *COLLECTED):
        with psycopg.connect(getattr(databases, query.database)) as connection:
            answered = connection.execute(statement(f"facts/{query.file}.sql")).description
        assert answered
        assert tuple(column.name for column in answered) == (*query.label_columns, *query.value_columns), query.file
        assert {label.removeprefix(GUARD) for label in query.label_columns} == set(query.metrics[0].labels)


@pytest.mark.parametrize(
    ("file", "table"),
    [
        ("warehouse_candles", "candle"),
        ("warehouse_features", "candle_feature"),
        ("warehouse_tickers", "ticker"),
        ("warehouse_forecasts", "forecast"),
    ],
)
def test_the_newest_of_a_long_table_is_looked_up_and_not_searched_for(
    databases: Databases, file: str, table: str
) -> None:
    with psycopg.connect(databases.warehouse) as connection:
        connection.execute("set enable_seqscan to off")  # these tables are short: whether it could be done otherwise
        rows = connection.execute("explain " + statement(f"facts/{file}.sql")).fetchall()  # type: ignore[arg-type]
    plan = [row[0] for row in rows]
    reads = [place for place, line in enumerate(plan) if re.search(rf" on {table}(_\d+)* ", line)]
    assert reads
    for place in reads:
        assert re.search("Index (Only )?Scan", plan[place]), plan[place]
        above = [line for line in plan[:place] if indent(line) < indent(plan[place])]
        assert any("Limit" in line for line in above), "all of the table is read"


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def test_the_page_says_what_lies_in_the_databases(databases: Databases) -> None:
    said: list[str] = []
    page = collector(said, warehouse=databases.warehouse, airflow=databases.airflow).page()
    found = samples(page)
    assert sorted(said) == ["facts of airflow: all there", "facts of warehouse: all there"]
    assert {series: value for series, value in found.items() if series.startswith(tuple(EXPECTED))} == EXPECTED
    names = {series.partition("{")[0] for series in found}
    assert names == {metric.prometheus_name for metric in FACTS}, "a declared fact has no sample, or the reverse"
    assert all(any(series.startswith(name) for series in (*EXPECTED, *MOVING)) for name in names), "a fact unchecked"
    now = time.time()
    for series in ('crypto_facts_collected_timestamp_seconds{database="airflow"}',):
        assert found[series] == pytest.approx(now, abs=60)
    assert found["crypto_database_oldest_transaction_timestamp_seconds"] == pytest.approx(now, abs=600)
    assert 'crypto_table_rows{table="market.candle"}' in found
    assert found['crypto_table_size_bytes{table="market.ticker"}'] > 0  # its months together
    assert not any("ticker_20" in series for series in found)


def test_a_transaction_of_somebody_else_shows(databases: Databases) -> None:
    with psycopg.connect(databases.warehouse_superuser) as other:
        other.execute("select 1")
        time.sleep(0.3)
        found = samples(collector(warehouse=databases.warehouse).page())
    began = found["crypto_database_oldest_transaction_timestamp_seconds"]
    assert began < found['crypto_facts_collected_timestamp_seconds{database="warehouse"}'] - 0.25


def test_one_query_that_fails_is_told_and_takes_none_with_it(databases: Databases) -> None:
    said: list[str] = []
    facts = collector(said, warehouse=databases.warehouse)
    whole = samples(facts.page())
    with psycopg.connect(databases.warehouse_superuser, autocommit=True) as owner:
        owner.execute("revoke select (state) on ops.circuit from monitor")
        without = samples(facts.page())
        owner.execute("grant select (state) on ops.circuit to monitor")
    assert without['crypto_facts_up{database="warehouse"}'] == 1, "it answers"
    assert without['crypto_facts_failed_queries{database="warehouse"}'] == 1
    assert {s.partition("{")[0] for s in whole.keys() - without.keys()} == {"crypto_circuit_state"}
    assert samples(facts.page()).keys() == whole.keys()
    assert said[1:] == [
        "facts of warehouse: warehouse_circuits: permission denied for table circuit",
        "facts of warehouse: all there",
    ]


def test_a_locked_table_costs_the_facts_about_it_and_half_a_second_each(databases: Databases) -> None:
    with psycopg.connect(databases.warehouse_superuser) as other:
        other.execute("lock table market.fear_greed in access exclusive mode")
        began = time.monotonic()
        answers = read_facts(databases.warehouse, "warehouse")
    assert time.monotonic() - began < 4
    failed = [each.partition(":")[0] for each in answers.error.split("; ")]
    assert failed == ["warehouse_sentiment", "warehouse_tables"]
    assert answers.error.count("lock timeout") == answers.unanswered == 2
    assert answers.is_up
    assert "crypto.candle.newest_close_timestamp_seconds" in {metric.name for metric in answers.facts}


def test_a_database_that_answers_too_slowly_is_not_down(databases: Databases) -> None:
    with psycopg.connect(databases.warehouse_superuser) as other:
        other.execute("lock table market.fear_greed, ops.circuit, ops.coverage_count in access exclusive mode")
        facts = FactsCollector(
            {"warehouse": databases.warehouse}, time.monotonic, lambda line: None, patience_seconds=1.0
        )
        found = samples(facts.page())
    assert found['crypto_facts_up{database="warehouse"}'] == 1
    assert found['crypto_facts_failed_queries{database="warehouse"}'] > 3
    assert any(series.startswith("crypto_candle_newest") for series in found), "what came in time is shown"


def test_what_a_database_does_not_know_is_left_out_and_the_rest_is_there(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = "select name as of_database, size::float8 as database_size_bytes, 1::float8 as database_connections from"
    rows = " (values ('gone', null), ('here', 7)) as d (name, size)"
    plain = collector_module._sql
    monkeypatch.setattr(
        collector_module, "_sql", lambda file: unknown + rows if file == "warehouse_databases" else plain(file)
    )
    found = samples(collector(warehouse=databases.warehouse).page())
    assert 'crypto_database_size_bytes{database="gone"}' not in found
    assert found['crypto_database_size_bytes{database="here"}'] == 7
    assert found['crypto_database_connections{database="gone"}'] == 1
    assert found['crypto_facts_failed_queries{database="warehouse"}'] == 0


def test_whatever_goes_wrong_no_facts_of_an_earlier_round_stay(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    facts = collector(said, warehouse=databases.warehouse)
    assert samples(facts.page())['crypto_facts_up{database="warehouse"}'] == 1

    def no_number(connection: object, query: object) -> None:
        raise TypeError("not a number")

    monkeypatch.setattr(collector_module, "_read", no_number)
    for _ in range(2):
        found = samples(facts.page())
        assert found.pop('crypto_facts_failed_queries{database="warehouse"}') > 10
        assert found == {'crypto_facts_up{database="warehouse"}': 0}
    assert said[1:] == ["facts of warehouse: not a number"]


def test_databases_in_which_a_backup_is_verified_are_no_series(databases: Databases) -> None:
    scratch = ("facts_restoring_0123abcd", "facts_restoring_0123abcd_old")
    kept = "facts_restoring_it"
    with psycopg.connect(databases.warehouse_superuser, autocommit=True) as owner:
        try:
            for name in (*scratch, kept):
                owner.execute(f"create database {name}".encode())
            answers = read_facts(databases.warehouse, "warehouse")
        finally:
            for name in (*scratch, kept):
                owner.execute(f"drop database if exists {name}".encode())
    (sizes,) = (rows for m, rows in answers.facts.items() if m.name == "crypto.database.size_bytes")
    names = {dict(labels)["database"] for labels, _ in sizes}
    assert kept in names
    assert not names & set(scratch)


def test_a_dead_database_takes_its_facts_along_and_nothing_else(databases: Databases) -> None:
    facts = collector(warehouse=make_conninfo(databases.warehouse, port=1), airflow=databases.airflow)
    began = time.monotonic()
    found = samples(facts.page())
    assert time.monotonic() - began < 2.5
    assert found['crypto_facts_up{database="warehouse"}'] == 0
    assert found['crypto_facts_up{database="airflow"}'] == 1
    assert not any(series.startswith("crypto_candle") for series in found)


def test_a_database_that_hangs_costs_its_patience_once_and_never_the_statsd_half(databases: Databases) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        hanging = make_conninfo(databases.warehouse, host="127.0.0.1", port=silent.getsockname()[1])
        facts = FactsCollector(
            {"warehouse": hanging}, time.monotonic, lambda line: None, refresh_seconds=0, patience_seconds=0.5
        )
        mapping = Mapping([], Target("unmapped", "", (), "", 0.0, ()))
        receiver = Receiver(
            mapping, host="127.0.0.1", statsd_port=0, http_port=0, max_series=9, monotonic=lambda: 0.0, more=facts.page
        )
        with receiver:
            pages: list[str] = []
            began = time.monotonic()
            looking = threading.Thread(target=lambda: pages.append(receiver.page()))
            looking.start()
            receiver.feed(b"a:1|c")  # is taken in while somebody waits for the page
            assert time.monotonic() - began < 0.4
            looking.join()
            assert 0.4 < time.monotonic() - began < 1.5
            assert "\na 1\n" in pages[0]
            assert 'crypto_facts_up{database="warehouse"} 0\n' in pages[0]
            again = time.monotonic()
            assert 'crypto_facts_up{database="warehouse"} 0\n' in receiver.page()
            assert time.monotonic() - again < 0.3


def test_databases_are_asked_once_in_a_while_however_often_somebody_looks(databases: Databases) -> None:
    facts = collector(refresh_seconds=60, warehouse=databases.warehouse)
    collected = 'crypto_facts_collected_timestamp_seconds{database="warehouse"}'
    assert samples(facts.page())[collected] == samples(facts.page())[collected]
    eager = collector(warehouse=databases.warehouse)
    assert samples(eager.page())[collected] < samples(eager.page())[collected]


@pytest.mark.parametrize(
    "asked",
    ["select * from connection", "select * from variable", "select conf from dag_run", "select * from xcom"],
)
def test_nothing_else_of_airflow_can_be_read(databases: Databases, asked: str) -> None:
    with psycopg.connect(databases.airflow) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(asked)


def test_what_the_collector_does_not_read_is_said_of_no_database() -> None:
    assert collector().page() == ""
    assert UP not in {metric for query in QUERIES for metric in query.metrics}
