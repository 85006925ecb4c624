"""Market and Pipeline in a browser, over three years of hours: what is drawn, asked, said in doubt and in trouble."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Page, expect

from crypto_market.ui.pages import routers
from include.api.app import create_app
from include.api.warehouse import Warehouse
from include.clock import FixedClock
from include.stack.postgres import PostgresCluster
from tests.conftest import WarehouseTemplate, listening
from tests.integration.api import EVERYBODY
from tests.integration.served_world import FILLED, HOUR, START, filled

NOW = START + FILLED * HOUR + HOUR / 2
YEARS = """
update market.instrument set listed_at = '2021-01-01Z' where venue = 'binance';
insert into market.candle (
    instrument_id, timeframe, opened_at, recorded_at, open, high, low, close, base_volume, source
)
select 1, '1h', t, t + interval '61 minutes', 100, 131, 90, 110, 5, 'test'
from generate_series(timestamptz '2021-01-01Z', timestamptz '2023-12-31 23:00Z', interval '1 hour') as t;
insert into mart.price_alert (
    instrument_id, direction, triggered_at, crypto, change_percent, price, price_before, threshold_percent,
    change_window, known_at, notification, notified_at
) values (
    1, 'up', '2024-01-02 07:00Z', 'BTC', 7.5, 107.5, 100, 5, interval '1 day', '2024-01-02 07:05Z', 'sent',
    '2024-01-02 07:06Z'
);
insert into market.fear_greed (day, value, classification, published_at, recorded_at, source)
select d, 40, 'Fear', d, d, 'test' from generate_series(date '2023-12-01', date '2024-01-04', interval '1 day') as d;
"""
# As Airflow answers, in what the page reads of it.
DAG = {
    "dag_id": "price_forecast",
    "is_paused": False,
    "timetable_summary": "25 * * * *",
    "has_import_errors": False,
    "next_dagrun_run_after": "2024-01-04T01:25:00Z",
}
RUN = {"dag_id": "price_forecast", "dag_run_id": "scheduled__1", "state": "failed", "duration": 61.5}
FRAME = "<html class=light><iframe title=page src=/market/pages/{page} width=1200 height=900></iframe></html>"


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    """The world's time; a test that moves it brings it back."""
    return FixedClock(NOW)


@pytest.fixture(scope="module")
def address(cluster: PostgresCluster, warehouse_template: WarehouseTemplate, clock: FixedClock) -> Iterator[str]:
    with filled(cluster, warehouse_template) as (dsns, owner):
        owner.execute(YEARS)
        warehouse = Warehouse(lambda: dsns.reader, lambda: clock)
        app = FastAPI()
        app.mount("/market", create_app(warehouse, EVERYBODY, routers(EVERYBODY, lambda: {"machinery": True})))
        app.add_api_route("/framed/{page}", lambda page: HTMLResponse(FRAME.format(page=page)))
        app.add_api_route("/api/v2/dags", lambda: {"dags": [DAG]})
        app.add_api_route(
            "/api/v2/dags/~/dagRuns", lambda: {"dag_runs": [{**RUN, "start_date": "2024-01-04T00:25:00Z"}]}
        )
        with closing(warehouse), listening(app) as url:
            yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    opened.set_default_timeout(15_000)
    yield opened
    opened.close()


def shown(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/market/pages/{name}")
    settled(page)


def settled(page: Page) -> None:
    page.wait_for_selector("#trust .verdict")
    page.wait_for_selector("[aria-busy]", state="detached")


def described(page: Page) -> str:
    return page.locator("#chart").get_attribute("aria-label") or ""


def texts(page: Page, table: str, key: str) -> list[str]:
    return page.locator(f"{table} td[data-key={key}]").all_inner_texts()


def test_years_are_drawn_together_and_come_apart_where_one_looks_closer(page: Page, address: str) -> None:
    answers: list[Any] = []
    page.on("response", lambda got: answers.append(got) if "candles/chart" in got.url else None)
    shown(page, address, "market?range=all&indicators=")
    assert "bars of 7 d, 2020-12-31 00:00 UTC to 2023-12-28 00:00 UTC" in described(page)
    expect(page.locator("#note")).to_contain_text("Each bar sums up 168 candles of 1h")
    page.locator("#chart").focus()
    for _ in range(2):
        for _ in range(8):
            page.keyboard.press("+")
        expect(page.locator("#note")).not_to_contain_text("168 candles")
    expect(page.locator("#note")).to_contain_text("Each bar is one candle of 1h")
    page.keyboard.press("Home")
    expect(page.locator("#chart")).to_have_attribute("aria-label", re.compile("bars of 1 h, 2021-01-01 00:00 UTC"))
    assert len(answers) < 8
    assert max(len(got.json()["data"]) for got in answers) <= 1500


def test_two_markets_are_drawn_in_percent_and_their_quotes_are_named(page: Page, address: str) -> None:
    shown(page, address, "market?against=kraken:BTC/USD&range=1w&indicators=")
    note = page.locator("#note")
    expect(note).to_contain_text("that of kraken BTC/USD is of 2024-01-01 00:00 UTC")
    expect(note).to_contain_text("USDT and USD are different quotes")
    expect(page.locator("#legend")).to_contain_text("kraken BTC/USD 123.00")
    page.locator("select[name=scale]").select_option("own")
    expect(note).to_contain_text("its own scale")
    assert "scale=own" in page.url


def test_an_alert_is_listed_while_its_bar_is_seen(page: Page, address: str) -> None:
    shown(page, address, "market?range=1w")
    assert texts(page, "#alerts", "change_percent") == ["▲ +7.50 %"]
    page.get_by_role("button", name="Earlier").click()
    page.get_by_role("button", name="Earlier").click()
    expect(page.locator("#alerts")).to_contain_text("No alert in what is seen")


def test_doubt_stands_above_the_prices_and_goes_with_its_cause(page: Page, address: str, clock: FixedClock) -> None:
    trust = page.locator("#trust")
    shown(page, address, "market?range=1d")
    expect(trust).to_contain_text("recorded prices, not market prices of today")
    expect(trust).to_contain_text("Answered")
    clock.at = NOW + 5 * HOUR
    try:
        shown(page, address, "market?range=1d")
        expect(trust).to_contain_text("Abstains")
        expect(trust.locator("li").first).to_contain_text("4 of 47 candles are neither held nor explained")
        assert page.locator("#legend strong").inner_text() == "2024-01-03 23:00 UTC"
    finally:
        clock.at = NOW


def test_no_price_and_no_trust_is_shown_where_the_warehouse_is_away(page: Page, address: str) -> None:
    away = {"title": "Service Unavailable", "status": 503, "detail": "the warehouse does not answer"}
    page.route("**/api/v1/candles/chart**", lambda route: route.fulfill(status=503, json=away))
    page.goto(f"{address}/market/pages/market")
    expect(page.locator("#trouble [role=alert]")).to_contain_text("the warehouse does not answer")
    expect(page.locator("#chart")).to_be_hidden()
    expect(page.locator("#trust")).to_be_empty()
    page.unroute("**/api/v1/candles/chart**")
    page.get_by_role("button", name="Try again").click()
    settled(page)
    expect(page.locator("#chart")).to_be_visible()


def test_what_is_late_is_named_with_by_how_much(page: Page, address: str, clock: FixedClock) -> None:
    clock.at = NOW + 4 * HOUR
    try:
        shown(page, address, "pipeline")
    finally:
        clock.at = NOW
    states = dict(
        zip(
            texts(page, "#freshness > .scroll", "dataset"), texts(page, "#freshness > .scroll", "is_stale"), strict=True
        )
    )
    assert states["candles"] == "✕ late by 2 h 30 min"
    assert states["features"] == "✓ in time"
    assert states["rankings"].endswith("none yet")


def test_runs_are_airflows_own_and_one_dag_may_be_looked_at_alone(page: Page, address: str) -> None:
    shown(page, address, "pipeline")
    assert texts(page, "#dags", "state") == ["✕ failed"]
    assert texts(page, "#dags", "next") == ["2024-01-04 01:25 UTC"]
    page.locator("#latency summary").click()
    assert set(texts(page, "#latency", "seconds")) == {"25 min"}
    page.route("**/api/v2/**", lambda route: route.fulfill(status=403, json={"detail": "Forbidden"}))
    shown(page, address, "pipeline?dag_id=feature_upsert")
    expect(page.locator("#dags [role=alert]")).to_contain_text("Your Airflow role does not allow this")
    assert texts(page, "#freshness > .scroll", "dataset") == ["features"]
    expect(page.locator("#latency")).to_be_hidden()


def test_colours_follow_the_page_around(page: Page, address: str) -> None:
    page.goto(f"{address}/framed/pipeline")
    root = page.frame_locator("iframe").locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    page.evaluate("document.documentElement.className = 'dark'")
    expect(root).to_have_attribute("data-theme", "dark")
