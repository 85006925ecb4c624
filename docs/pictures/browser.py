"""The system's Chromium, kept off the network, and a way into Airflow: for pictures and for tests of the pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, Page, sync_playwright

from include.stack.layout import StackError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str:
    """Path of the browser, CHROMIUM's or the first on PATH. Raises StackError where there is none."""
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        wanted = f"CHROMIUM={named} is no program" if named else f"none of {', '.join(BROWSERS)} is on PATH"
        raise StackError(f"{wanted}: install Chromium (Debian: apt-get install chromium), or name it by CHROMIUM")
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless browser, ended with the block. Raises StackError where there is none."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's own refuses to run as root
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *sandbox])
        try:
            yield browser
        finally:
            browser.close()


def log_in(page: Page, address: str, user: str, password: str) -> None:
    """Through Airflow's own form. Raises StackError where nothing answers."""
    try:
        page.goto(f"{address}/auth/login/")
    except Error as error:
        raise StackError(f"nothing answers at {address}: `make demo` first, and leave it up") from error
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(password)
    page.locator("button[type=submit]").click()
    page.wait_for_url(lambda url: "/auth/login" not in url)
