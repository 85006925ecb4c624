"""Coverage and Forecasts in a browser, over a warehouse with holes, revisions, a refusal and a text that is no text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from crypto_market.ui.pages import routers
from include.api.app import create_app
from include.api.warehouse import Warehouse
from include.clock import FixedClock
from include.stack.postgres import PostgresCluster
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import Connection
from tests.conftest import WarehouseTemplate, listening
from tests.integration.api import EVERYBODY
from tests.integration.served_world import FILLED, HOUR, START, filled

NOW = START + FILLED * HOUR + HOUR / 2
MARKUP = "<img src=x onerror=document.title='taken'>"
DOUBTS = f"""
insert into market.attestation (
    instrument_id, timeframe, covers, candle_count, absent, refused, source, request, response_sha256, recorded_at
) values (
    2, '1h', '[2024-01-01Z,2024-01-03Z)', 46, '{{[2024-01-01 10:00Z,2024-01-01 12:00Z)}}', '{{}}', 'kraken-trades',
    'https://api.kraken.com/0/public/Trades?pair=XXBTZUSD', repeat('ab', 32), '2024-01-03 00:05Z'
);
insert into market.coverage (instrument_id, timeframe, covers, state, reason, attestation_id, recorded_at) values
    (2, '1h', '[2024-01-01 10:00Z,2024-01-01 12:00Z)', 'empty', 'kraken-trades has no candle', 1, '2024-01-03 00:05Z');
delete from market.candle
where instrument_id = 2 and opened_at in ('2024-01-01 10:00Z', '2024-01-01 11:00Z', '2024-01-02 20:00Z');
insert into market.candle_revision (
    instrument_id, timeframe, opened_at, recorded_at, superseded_at, open, high, low, close, base_volume, source
) values (2, '1h', '2024-01-01 05:00Z', '2024-01-01 06:00Z', '2024-01-01 07:00Z', 100, 131.5, 90.25, 105, 5, 'test');
insert into market.quarantine (fingerprint, recorded_at, dataset, source, reason, raw)
values ('\\x00', '2024-01-02Z', 'candle', 'kraken-rest', 'no number', $${MARKUP}$$);
insert into ml.refusal (
    instrument_id, timeframe, horizon_bars, target, reason_class, reason, refused_at, last_refused_at
) values (1, '1h', 1, 'log_return', 'old_model', 'it learned long ago', '2024-01-04Z', '2024-01-04 00:26Z');
insert into ml.promotion (
    training_run_id, decided_at, decision, reason, skill, p_value_over_baseline, registered_model, target, baseline,
    tries, p_value_adjusted
)
select training_run_id, trained_at, 'naive', 'does not beat it beyond luck', skill, 0.5, registered_model, target,
    baseline, tries, 1
from ml.training_run;
insert into ml.forecast_score (
    forecast_id, scored_at, actual_price, actual_log_return, error_log_return, absolute_error, naive_absolute_error,
    is_covered, is_covered_95
)
select forecast_id, target_at, 106, 0.01, 0.01, 5.5, 6, false, true from ml.forecast
where target_at <= '2024-01-04Z';
"""


@pytest.fixture(scope="module")
def rights() -> dict[str, Any]:
    """What the user may see; a test changes it for itself."""
    return {"user": "somebody", "machinery": True}


@pytest.fixture(scope="module")
def world(
    cluster: PostgresCluster, warehouse_template: WarehouseTemplate
) -> Iterator[tuple[WarehouseDsns, Connection]]:
    with filled(cluster, warehouse_template) as (dsns, owner):
        owner.execute(DOUBTS)
        yield dsns, owner


@pytest.fixture(scope="module")
def address(world: tuple[WarehouseDsns, Connection], rights: dict[str, Any]) -> Iterator[str]:
    warehouse = Warehouse(lambda: world[0].reader, lambda: FixedClock(NOW))
    app = FastAPI()
    app.mount("/market", create_app(warehouse, EVERYBODY, routers(EVERYBODY, lambda: rights)))
    with closing(warehouse), listening(app) as url:
        yield f"{url}/market"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def shown(page: Page, url: str) -> None:
    page.goto(url)
    settled(page)


def settled(page: Page) -> None:
    page.wait_for_selector("#trust .verdict")
    page.wait_for_selector("[aria-busy]", state="detached")


def texts(page: Page, table: str, key: str) -> list[str]:
    return page.locator(f"{table} td[data-key={key}]").all_inner_texts()


def test_each_day_says_what_it_holds_and_keys_lead_to_its_holes(page: Page, address: str) -> None:
    shown(page, f"{address}/pages/coverage?market=kraken:BTC/USD")
    days = page.locator("[role=gridcell]")
    assert days.count() == 366
    assert [days.nth(place).get_attribute("aria-label") for place in range(4)] == [
        "2024-01-01: 22 of 24 candles, 2 empty",
        "2024-01-02: 23 of 24 candles, 1 unknown",
        "2024-01-03: 24 of 24 candles",
        "2024-01-04: no candle expected",
    ]
    assert [days.nth(place).inner_text() for place in range(4)] == ["○", "?", "", ""]
    assert [day.get_attribute("data-day") for day in page.locator("[role=gridcell][tabindex='0']").all()] == [
        "2024-01-01"
    ]
    assert len(texts(page, "#holes", "state")) == 2
    days.first.focus()
    for key in ("ArrowDown", "ArrowUp", "End", "Home", "ArrowRight"):
        page.keyboard.press(key)
    expect(days.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#holes caption")).to_have_text("Holes of kraken BTC/USD 1h on 2024-01-02")
    settled(page)
    assert texts(page, "#holes", "reason") == ["deleted"]
    assert "kraken-trades" in texts(page, "#holes", "evidence")[0]
    expect(days.nth(1)).to_have_attribute("aria-selected", "true")
    assert "day=2024-01-02" in page.url
    page.get_by_role("button", name="Show the whole year").click()
    expect(page.locator("#holes td[data-key=state]")).to_have_count(2)
    assert "api.kraken.com" in texts(page, "#holes", "evidence")[0]


def test_an_incomplete_series_abstains_and_its_equation_says_by_what(page: Page, address: str) -> None:
    shown(page, f"{address}/pages/coverage?market=kraken:BTC/USD")
    assert dict(zip(texts(page, "#series", "symbol"), texts(page, "#series", "expected"), strict=True)) == {
        "binance BTC/USDT 1h": "72 = 72 observed",
        "kraken BTC/USD 1h": "72 = 69 observed + 2 empty + 1 unknown",
    }
    assert texts(page, "#series", "is_complete") == ["✓ complete", "? has unknown"]


def test_what_was_replaced_and_what_was_refused_is_shown_as_it_came(page: Page, address: str) -> None:
    shown(page, f"{address}/pages/coverage?market=kraken:BTC/USD")
    assert texts(page, "#revisions", "high") == ["131.5 → 130.5"]
    assert texts(page, "#revisions", "close") == ["105"]
    assert texts(page, "#quarantine", "raw") == [MARKUP]
    assert page.title() == "Coverage"


def test_machinery_is_not_asked_for_by_who_may_not_see_it(page: Page, address: str, rights: dict[str, Any]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    rights["machinery"] = False
    try:
        shown(page, f"{address}/pages/coverage")
    finally:
        rights["machinery"] = True
    for part in ("#quarantine", "#budgets"):
        expect(page.locator(part)).to_contain_text("Not shown with your Airflow role")
    assert not [url for url in asked if "quarantine" in url or "budgets" in url]
    assert [url for url in asked if "coverage/days" in url]


def test_a_forecast_that_does_not_stand_is_a_reason_and_no_number(page: Page, address: str) -> None:
    shown(page, f"{address}/pages/forecasts")
    assert texts(page, "#latest", "symbol") == ["binance BTC/USDT, 1 h", "binance BTC/USDT, 24 h"]
    refused, served = texts(page, "#latest", "predicted_price")
    assert refused.startswith("✕ Abstains ")
    assert refused.endswith("was refused: it learned long ago (since 2024-01-04 00:26 UTC)")
    assert (served, texts(page, "#latest", "lower_price_95")[1]) == ("100.5", "90 to 110")
    assert page.locator("#served li").all_inner_texts() == [
        "Price: nothing is served now, the table says why: binance BTC/USDT, 1 h",
        "Price: the naive forecast is served, as no model has beaten it: binance BTC/USDT, 24 h",
        "Volatility: the baseline har is served, as no model has beaten it: binance BTC/USDT, 24 h",
    ]


def test_what_became_of_forecasts_is_held_against_their_promise(page: Page, address: str) -> None:
    shown(page, f"{address}/pages/forecasts?horizon=PT1H")
    page.locator("#history summary").click()
    outcomes = texts(page, "#history", "world")
    assert (outcomes[0], set(outcomes[1:])) == ("still to come", {"within 95 %"})
    told = page.locator("#chart").get_attribute("aria-label")
    assert told is not None
    assert f"0 of {len(outcomes) - 1} outcomes lie within their 80 % interval" in told
    assert texts(page, "#calibration", "inside")[:2] == ["0.0 %", "100.0 %"]
    assert "of 24 within the 80 % interval" in str(page.locator("#calibration svg").get_attribute("aria-label"))
    assert set(texts(page, "#scoreboard", "skill_lower")) == {"below 30 days"}
    assert set(texts(page, "#promotions", "decision")) == {"the baseline serves"}
    assert set(texts(page, "#promotions", "p_value_adjusted")) == {"1.000 of 2"}


def test_a_part_that_fails_says_so_and_can_be_tried_again(page: Page, address: str) -> None:
    page.route("**/api/v1/scoreboard**", lambda route: route.abort())
    shown(page, f"{address}/pages/forecasts")
    expect(page.locator("#scoreboard [role=alert]")).to_contain_text("No answer")
    assert page.locator("#promotions td").count() > 0
    page.unroute("**/api/v1/scoreboard**")
    page.locator("#scoreboard").get_by_role("button", name="Try again").click()
    expect(page.locator("#scoreboard td[data-key=skill]").first).to_be_visible()


def test_a_page_that_is_left_open_keeps_up(page: Page, address: str, world: tuple[WarehouseDsns, Connection]) -> None:
    owner = world[1]
    page.clock.install()
    shown(page, f"{address}/pages/coverage?market=kraken:BTC/USD")
    third = page.locator("[data-day='2024-01-03']")
    third.focus()
    lost = owner.execute(
        "delete from market.candle where instrument_id = 2 and opened_at = '2024-01-03 05:00Z'"
        " returning opened_at, recorded_at, open, high, low, close, base_volume"
    ).fetchone()
    try:
        page.clock.fast_forward(61_000)
        expect(third).to_have_attribute("aria-label", "2024-01-03: 23 of 24 candles, 1 unknown")
        expect(third).to_be_focused()
        expect(page.locator("#holes td[data-key=state]")).to_have_count(3)
        page.route("**/coverage/days**", lambda route: route.abort())
        page.clock.fast_forward(61_000)
        expect(page.locator("#calendar [role=alert]")).to_contain_text("No answer")
        expect(page.locator("#trust")).to_be_empty()
        page.unroute("**/coverage/days**")
        page.clock.fast_forward(61_000)
        expect(third).to_have_attribute("aria-label", "2024-01-03: 23 of 24 candles, 1 unknown")
    finally:
        owner.execute(
            "insert into market.candle (instrument_id, timeframe, source, opened_at, recorded_at, open, high, low,"
            " close, base_volume) values (2, '1h', 'test', %s, %s, %s, %s, %s, %s, %s)",
            lost,
        )


DRAWN = """
async ({ address, around, apart }) => {
  const { IntervalBand } = await import(`${address}/static/forecasts-band.js`);
  const context = new OffscreenCanvas(100, 100).getContext("2d");
  const bars = [5, 15, 65, 75, 95].map((x, place) => ({
    x, originalData: { value: 50, ...around, isApart: apart.includes(place) },
  }));
  const band = new IntervalBand();
  band.update({ bars, visibleRange: { from: 0, to: 5 }, barSpacing: 4 }, { color: "#000000", dashes: [] });
  const scope = { context, horizontalPixelRatio: 1, verticalPixelRatio: 1 };
  band.renderer().draw({ useBitmapCoordinateSpace: (draw) => draw(scope) }, (price) => price);
  const columns = [...Array(100).keys()];
  return columns.filter((x) => context.getImageData(x, 0, 1, 100).data.some((value) => value > 0));
}
"""


@pytest.mark.parametrize("around", [{"lower": 40, "upper": 60, "lower95": 30, "upper95": 70}, {}])
@pytest.mark.parametrize(("apart", "drawn"), [
    ([], [*range(5, 95)]),
    ([2, 4], [*range(5, 15), *range(65, 75), *range(93, 97)]),
])  # fmt: skip
def test_nothing_is_drawn_across_hours_of_which_nothing_is_known(
    page: Page, address: str, around: dict[str, int], apart: list[int], drawn: list[int]
) -> None:
    shown(page, f"{address}/pages/forecasts")
    assert page.evaluate(DRAWN, {"address": address, "around": around, "apart": apart}) == drawn


def test_hours_without_a_forecast_are_empty_places_that_set_their_neighbours_apart(page: Page, address: str) -> None:
    shown(page, f"{address}/pages/forecasts")
    placed = page.evaluate(
        """async ([address, hours]) => {
          const { hourly } = await import(`${address}/static/forecasts-chart.js`);
          return hourly(hours.map((hour) => ({ time: hour * 3600, value: 1 })))
            .map(({ time, value, isApart }) => [time / 3600, value ?? null, isApart ?? null]);
        }""",
        [address, [0, 3, 4, 6]],  # the first is where the first forecast starts from
    )
    empty = [None, None]
    assert placed == [[0, 1, False], [1, *empty], [2, *empty], [3, 1, False], [4, 1, False], [5, *empty], [6, 1, True]]
