"""The pictures of the docs, from a stack that is up: `make pictures` (after `make demo`, in another terminal).

`airflow.png` is Airflow's own page of DAGs, photographed by the system's Chromium (on PATH, or named by CHROMIUM);
`market.png` and its like are our pages inside Airflow, `market-dark.png` the same in its dark colours.
`forecast.png` is drawn from the views `ohlcv` and `predictions`, and names the world whose prices it shows.
"""

from __future__ import annotations

import argparse
import io
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.dates as mdates
from matplotlib import pyplot
from matplotlib.axes import Axes
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from crypto_market.ui.views import PAGES
from docs.pictures.browser import launched, log_in
from include.stack.command import say_to_stderr
from include.stack.credentials import load_or_create
from include.stack.layout import Layout, Ports, StackError
from include.stack.query import known_layout, running_database
from include.warehouse.connection import Connection, connect

HERE = Path(__file__).resolve().parent
COLOURS = 200  # of a photograph
LARGEST_PICTURE = 200_000  # bytes; they are committed

CLOSES = """
select opened_at + interval '1 hour', close
from ohlcv
where
    (venue, symbol, timeframe) = (%(venue)s, %(symbol)s, '1h')
    and opened_at >= %(until)s - interval '5 days'
    and opened_at < %(until)s
order by opened_at
"""

NEWEST_FORECASTS = """
select distinct on (venue, symbol, horizon)
    venue, symbol, horizon, world, as_of, as_of_price, timestamp, predicted_price, lower_price, upper_price, model,
    model_version, coverage
from predictions
order by venue, symbol, horizon, timestamp desc
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("--to", type=Path, default=HERE, help="folder to write into (default: docs/pictures)")
    folder = parser.parse_args().to
    try:
        layout = known_layout(Layout.from_environment("live").var)
        for picture in (*photograph(layout, folder), draw_forecasts(layout, folder)):
            size = picture.stat().st_size
            print(f"{picture}: {size} bytes, {layout.world} world")
            if size > LARGEST_PICTURE:
                raise StackError(f"{picture} is larger than {LARGEST_PICTURE} bytes")
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


# Airflow -------------------------------------------------------------------------------------------------------------


def photograph(layout: Layout, folder: Path) -> list[Path]:
    """Airflow as the admin sees it. Raises StackError without a browser or a stack."""
    address = f"http://127.0.0.1:{Ports.from_environment().airflow}"
    password = load_or_create(layout.credentials)[0].airflow_admin
    pictures = []
    with launched() as browser:
        page = tab(browser, address, password, "light")
        pictures.append(photograph_dags(page, address, folder / "airflow.png"))
        pictures += [photograph_page(page, address, name, folder / f"{name}.png") for name in PAGES]
        page = tab(browser, address, password, "dark")
        pictures += [photograph_page(page, address, name, folder / f"{name}-dark.png") for name in PAGES]
    return pictures


def tab(browser: Browser, address: str, password: str, theme: str) -> Page:
    """The admin's, in these colours of Airflow's; it needs nothing from anywhere else and gets nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme="light", locale="en-GB")
    context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    context.route(lambda url: not url.startswith(address), stay_here)
    page = context.new_page()
    log_in(page, address, "admin", password)
    return page


def photograph_dags(page: Page, address: str, picture: Path) -> Path:
    """The list of DAGs with their newest runs."""
    page.goto(f"{address}/dags")
    page.get_by_role("button", name="Show table view").click()
    for path in (HERE.parents[1] / "dags").glob("*.py"):
        page.get_by_role("link", name=path.stem, exact=True).first.wait_for()
    page.wait_for_load_state("networkidle")
    return shot(page, picture)


def photograph_page(page: Page, address: str, name: str, picture: Path) -> Path:
    """One of our pages, once nothing in it is under way."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{address}/plugin/crypto-{name}")
    shown = page.frame_locator(f'iframe[src*="/market/pages/{name}"]')
    expect(shown.locator("#trust .mark.verdict")).to_be_visible(timeout=60_000)
    expect(shown.locator("[aria-busy=true]")).to_have_count(0, timeout=60_000)
    page.wait_for_timeout(500)  # for charts to be drawn
    return shot(page, picture)


def shot(page: Page, picture: Path) -> Path:
    """What is seen, in few colours: half the bytes and no difference to an eye."""
    seen = Image.open(io.BytesIO(page.screenshot()))
    seen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)
    return picture


def stay_here(route: Route) -> None:
    route.abort()


# Forecasts -----------------------------------------------------------------------------------------------------------


def draw_forecasts(layout: Layout, folder: Path) -> Path:
    """The newest forecasts of each market after the closes before them. Raises StackError where there are none."""
    with running_database(layout, say_to_stderr) as (cluster, credentials):
        dsn = cluster.dsn("warehouse", "warehouse_reader", credentials.warehouse_reader)
        with connect(dsn) as connection:
            forecasts = connection.execute(NEWEST_FORECASTS).fetchall()
            if not forecasts:
                raise StackError("the view predictions is empty: run the DAG price_forecast first")
            markets = list(dict.fromkeys((venue, symbol) for venue, symbol, *_ in forecasts))
            as_of = max(forecast[4] for forecast in forecasts)
            figure, axes = pyplot.subplots(
                len(markets), 1, figsize=(10, 2.3 * len(markets)), sharex=True, squeeze=False
            )
            for (venue, symbol), axis in zip(markets, axes.flat, strict=True):
                closes = closes_before(connection, venue, symbol, as_of)
                axis.plot(*zip(*closes, strict=True), color="#333333", linewidth=1, label="close, 1h candles")
                mine = [forecast for forecast in forecasts if forecast[:2] == (venue, symbol)]
                for forecast in mine:
                    draw_one(axis, forecast)
                axis.set_title(f"{venue} {symbol}", loc="left", fontsize=9)
                axis.grid(alpha=0.3)
    world = forecasts[0][3]
    warning = "  -  SYNTHETIC: random walks, no real prices" if world == "synthetic" else ""
    figure.suptitle(f"{world} world, forecasts as of {as_of:%Y-%m-%d %H:%M} UTC{warning}", fontsize=11)
    axes.flat[0].legend(fontsize=8, loc="upper left")
    axes.flat[-1].xaxis.set_major_formatter(mdates.DateFormatter("%d %b"))  # type: ignore[no-untyped-call]
    axes.flat[-1].xaxis.set_major_locator(mdates.DayLocator())  # type: ignore[no-untyped-call]
    figure.tight_layout()
    picture = folder / "forecast.png"
    figure.savefig(picture, dpi=100, metadata={"Software": None})
    pyplot.close(figure)
    return picture


def closes_before(connection: Connection, venue: str, symbol: str, until: datetime) -> list[tuple[datetime, float]]:
    """Close times (UTC) and prices of the days before."""
    rows = connection.execute(CLOSES, {"venue": venue, "symbol": symbol, "until": until})
    return [(at, float(close)) for at, close in rows]


def draw_one(axis: Axes, forecast: tuple[Any, ...]) -> None:
    """A forecast's price and interval at its target; hollow where it is the naive one."""
    *_, horizon, _, as_of, as_of_price, at, price, lower, upper, model, version, coverage = forecast
    hours = horizon.total_seconds() / 3600
    naive = model == "naive"
    colour = "#1f77b4" if hours > 1 else "#d62728"
    label = f"+{hours:.0f} h, {'naive forecast' if naive else f'model version {version}'}, {coverage:.0%} interval"
    price, lower, upper = float(price), float(lower), float(upper)
    axis.plot([as_of, at], [float(as_of_price), price], color=colour, linestyle=":", linewidth=1)
    axis.errorbar(
        [at], [price], yerr=[[price - lower], [upper - price]], color=colour, fmt="o", markersize=5, capsize=4,
        markerfacecolor="white" if naive else colour, label=label,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
