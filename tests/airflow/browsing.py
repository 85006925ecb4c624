"""A browser on a running stack: one user looking at our pages inside Airflow, and everything it complained about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Frame, Page, Request, Response, expect

from docs.pictures.browser import log_in
from include.stack.credentials import Credentials

SECONDS = 30_000  # milliseconds; a page is there within one, a machine that does three other things takes longer
WORK_LEFT = "[aria-busy=true]"
# What a page that is left, or a question that another took the place of, gives up by itself.
GIVEN_UP = "net::ERR_ABORTED"
expect.set_options(timeout=SECONDS)


@dataclass
class Visit:
    """One user's tab. complaints: errors of the console, failed requests and requests to another host, as text."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def open(self, name: str) -> Frame:
        """One of our pages where Airflow shows it, once nothing in it is under way."""
        self.page.goto(f"{self.address}/plugin/crypto-{name}")
        return self.framed(f"/market/pages/{name}")

    def framed(self, path: str) -> Frame:
        """Our page in the frame that Airflow has put it in, once nothing in it is under way."""
        shown = self.page.wait_for_selector(f'iframe[src*="{path}"]', timeout=SECONDS)
        frame = shown.content_frame() if shown else None
        assert frame is not None, f"Airflow shows no {path}"
        settled(frame)
        return frame

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text} ({message.location.get('url')})")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.address}/", "data:", "blob:")):
            self.complaints.append(f"outside: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != GIVEN_UP:
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")


def settled(frame: Frame) -> None:
    """Wait until the page has said how far it can be trusted and has nothing under way."""
    expect(frame.locator("#trust .mark.verdict")).to_be_visible(timeout=SECONDS)
    expect(frame.locator(WORK_LEFT)).to_have_count(0)


def column(frame: Frame, table: str, key: str) -> list[str | None]:
    """Raw values of one column, from the top; None where there is none."""
    cells = frame.locator(f'{table} td[data-key="{key}"]')
    return [
        each if each is None else str(each)
        for each in cells.evaluate_all("all => all.map(c => c.dataset.value ?? null)")
    ]


@contextmanager
def visiting(
    browser: Browser, address: str, user: str, credentials: Credentials, theme: str = "light"
) -> Iterator[Visit]:
    """A tab of somebody who has logged in, with Airflow in that theme."""
    context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.add_init_script(f"localStorage.getItem('theme') ?? localStorage.setItem('theme', '{theme}')")
    try:
        visit = Visit(context.new_page(), address)
        log_in(visit.page, address, user, credentials.airflow_users()[user])
        visit.watch()
        yield visit
    finally:
        context.close()
