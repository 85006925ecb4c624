"""Our pages in a real browser, inside Airflow: every role sees them, and what they show is what the warehouse holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, expect

from crypto_market.ui.views import CATEGORY, PAGES
from include.stack.credentials import AIRFLOW_USERS, Credentials, load_or_create
from tests.airflow.browsing import Visit, column, settled, visiting
from tests.airflow.running import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]
MAY_SEE_MACHINERY = ("admin", "op")
GRAVE = ("serious", "critical")  # of axe's impacts


@pytest.fixture(scope="module")
def credentials(stack: RunningStack) -> Credentials:
    return load_or_create(stack.layout.credentials)[0]


@pytest.fixture(scope="module")
def viewer(stack: RunningStack, browser: Browser, credentials: Credentials) -> Iterator[Visit]:
    """A viewer's tab; whatever it has complained about by the end is an error."""
    with visiting(browser, address(stack), "viewer", credentials) as visit:
        yield visit
        assert visit.complaints == []


def address(stack: RunningStack) -> str:
    return f"http://127.0.0.1:{stack.ports.airflow}"


def asked(stack: RunningStack, question: str, *values: Any) -> list[tuple[Any, ...]]:
    with stack.warehouse("warehouse_reader") as warehouse:
        return warehouse.execute(question, values).fetchall()


def exact(texts: list[str | None]) -> list[Decimal | None]:
    return [None if text is None else Decimal(text) for text in texts]


# Who sees what ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", AIRFLOW_USERS)
def test_every_role_finds_every_page_in_the_navigation(
    stack: RunningStack, browser: Browser, credentials: Credentials, user: str
) -> None:
    with visiting(browser, address(stack), user, credentials) as visit:
        for name in PAGES:
            visit.page.get_by_role("button", name="Plugins").click()
            visit.page.get_by_role("menuitem", name=CATEGORY).click()
            visit.page.get_by_role("menuitem", name=name.capitalize(), exact=True).click()
            frame = visit.framed(f"/market/pages/{name}")
            assert frame.get_by_role("heading", level=1).inner_text() == name.capitalize()
            assert frame.locator("table tbody tr").count() > 0
            if name == "coverage":
                refused = frame.get_by_text("Not shown with your Airflow role")
                expect(refused).to_have_count(0 if user in MAY_SEE_MACHINERY else 2)
        assert visit.complaints == []


def test_nobody_sees_a_page(stack: RunningStack, browser: Browser) -> None:
    page = browser.new_page()
    for name in PAGES:
        answer = page.goto(f"{address(stack)}/market/pages/{name}")
        assert answer is not None
        assert answer.status == 401
        assert "Not authenticated" in page.content()
    page.close()


def test_the_page_of_a_dag_shows_its_own_data(viewer: Visit) -> None:
    viewer.page.goto(f"{viewer.address}/dags/ohlcv_hourly")
    viewer.page.get_by_role("link", name="Data", exact=True).click()
    frame = viewer.framed("/market/pages/pipeline?dag_id=ohlcv_hourly")
    assert set(column(frame, "#freshness", "dataset")) == {"candles"}
    expect(frame.locator("body")).to_contain_text("ohlcv_hourly")
    assert "price_forecast" not in frame.locator("body").inner_text()


# The numbers --------------------------------------------------------------------------------------------------------


def test_the_market_shows_the_warehouses_candles(stack: RunningStack, viewer: Visit) -> None:
    frame = viewer.open("market")
    frame.get_by_label("1w").check(force=True)
    settled(frame)
    assert shown_bars(frame) == held_bars(stack, "BTC/USDT", frame)
    frame.locator("select[name=market]").select_option("binance:ETH/USDT")
    settled(frame)
    expect(frame.locator("#prices-title")).to_contain_text("ETH/USDT")
    assert shown_bars(frame) == held_bars(stack, "ETH/USDT", frame)


def shown_bars(frame: Frame) -> dict[str, tuple[Decimal | None, ...]]:
    if frame.locator("details.figures[open]").count() == 0:
        frame.locator("details.figures summary").click()
    values = [exact(column(frame, "#figures", key)) for key in ("open", "high", "low", "close", "volume")]
    times = [str(each) for each in column(frame, "#figures", "opened_at")]
    assert len(times) > 20
    return dict(zip(times, zip(*values, strict=True), strict=True))


def held_bars(stack: RunningStack, symbol: str, frame: Frame) -> dict[str, tuple[Decimal, ...]]:
    """The same bars, summed up by the database from the hours they say they hold."""
    counts = [int(str(each)) for each in column(frame, "#figures", "candles")]
    times = [str(each) for each in column(frame, "#figures", "opened_at")]
    found = asked(
        stack,
        "select b.at, (array_agg(o.open order by o.opened_at))[1], max(o.high), min(o.low),"
        " (array_agg(o.close order by o.opened_at desc))[1], sum(o.volume)"
        " from unnest(%s::timestamptz[], %s::integer[]) as b (at, hours)"
        " join ohlcv as o on (o.venue, o.symbol, o.timeframe) = ('binance', %s, '1h')"
        " and o.opened_at >= b.at and o.opened_at < b.at + b.hours * interval '1 hour'"
        " group by b.at",
        times,
        counts,
        symbol,
    )
    assert sum(counts) > 100
    return {at.isoformat(): tuple(values) for at, *values in found}


def test_coverage_shows_what_is_held(stack: RunningStack, viewer: Visit) -> None:
    frame = viewer.open("coverage")
    names = [
        re.sub(r"\s+", " ", each).strip() for each in frame.locator("#series td[data-key=symbol]").all_inner_texts()
    ]
    rows = zip(names, column(frame, "#series", "starts_at"), column(frame, "#series", "ends_at"), strict=True)
    held = {
        name: asked(
            stack,
            "select count(*) from ohlcv where concat_ws(' ', venue, symbol, timeframe) = %s"
            " and opened_at >= %s and opened_at < %s",
            name,
            start,
            end,
        )[0][0]
        for name, start, end in rows
    }
    assert len(held) >= 6
    said = frame.locator("#series td[data-key=expected]").all_inner_texts()
    shown = {
        name: int(re.findall(r"([\d,]+) observed", text)[0].replace(",", ""))
        for name, text in zip(names, said, strict=True)
    }
    assert shown == held
    days = frame.locator("#calendar [data-day]")
    assert days.count() >= 365


def test_forecasts_are_the_sealed_ones(stack: RunningStack, viewer: Visit) -> None:
    frame = viewer.open("forecasts")
    keys = ("predicted_price", "lower_price", "lower_price_95", "up_probability")
    shown = list(zip(*(exact(column(frame, "#latest", key)) for key in keys), strict=True))
    newest = asked(
        stack,
        "select distinct on (symbol, horizon) predicted_price, lower_price, lower_price_95, up_probability"
        " from predictions order by symbol, horizon, timestamp desc",
    )
    assert len(shown) >= 6
    assert sorted(rounded(shown)) == sorted(rounded(newest))
    expect(frame.locator("#served")).to_contain_text("naive")


def rounded(rows: list[tuple[Any, ...]]) -> list[tuple[float, ...]]:
    return [tuple(round(float(value), 6) for value in row) for row in rows]


def test_the_pipelines_ages_are_those_of_the_newest_candles(stack: RunningStack, viewer: Visit) -> None:
    frame = viewer.open("pipeline")
    frame.locator("#freshness details summary").click()
    table = "#freshness details"
    every = zip(
        column(frame, table, "dataset"), column(frame, table, "subject"), column(frame, table, "newest_at"), strict=True
    )
    shown = {subject: newest for dataset, subject, newest in every if dataset == "candles"}
    newest = asked(
        stack,
        "select concat_ws(' ', venue, symbol, timeframe),"
        " max(opened_at) + case timeframe when '1h' then interval '1 hour' else interval '1 day' end"
        " from ohlcv group by venue, symbol, timeframe",
    )
    held = {name: at.isoformat() for name, at in newest}
    assert {name: at for name, at in shown.items() if at is not None} == held
    assert set(column(frame, "#dags", "dag_id")) >= {"ohlcv_hourly", "price_forecast"}


# What one does with them --------------------------------------------------------------------------------------------


def test_hovering_names_the_candle_and_zooming_makes_bars_finer(viewer: Visit) -> None:
    frame = viewer.open("market")
    legend = frame.locator("#legend")
    chart = frame.locator("#chart")
    before = legend.inner_text()
    chart.hover(position={"x": 150, "y": 120})
    expect(legend).not_to_have_text(before)
    assert "close" in legend.inner_text()
    frame.get_by_label("1y").check(force=True)
    settled(frame)
    note = frame.locator("#note")
    expect(note).to_contain_text("Each bar sums up")
    coarse = note.inner_text()
    for _ in range(4):
        frame.get_by_role("button", name="Zoom in").click()
    expect(note).not_to_have_text(coarse)


def test_the_pages_follow_airflows_colours_while_they_are_open(viewer: Visit) -> None:
    frame = viewer.open("market")
    root = frame.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    for theme in ("dark", "light"):
        viewer.page.get_by_role("button", name="User").click()
        viewer.page.get_by_role("menuitem", name="Appearance").click()
        viewer.page.get_by_role("menuitemradio", name=f"{theme.capitalize()} Mode").click()
        expect(root).to_have_attribute("data-theme", theme)
        viewer.page.keyboard.press("Escape")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_grave_fault_of_accessibility(
    stack: RunningStack, browser: Browser, credentials: Credentials, theme: str
) -> None:
    faults = []
    with visiting(browser, address(stack), "admin", credentials, theme) as visit:
        for path in (*(f"/market/pages/{name}" for name in PAGES), "/market/api/v1/docs"):
            visit.page.goto(f"{visit.address}{path}")
            if path.endswith("/docs"):
                expect(visit.page.locator("#questions section").first).to_be_visible()
            else:
                settled(visit.page.main_frame)
            expect(visit.page.locator("html")).to_have_attribute("data-theme", theme)
            found = Axe().run(visit.page).response
            assert len(found["passes"]) > 10
            faults += [
                f"{path}: {each['id']} ({each['impact']}): {[node['target'] for node in each['nodes']][:5]}"
                for each in found["violations"]
                if each["impact"] in GRAVE
            ]
        assert visit.complaints == []
    assert faults == []
