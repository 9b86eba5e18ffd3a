"""A Chromium that is on the machine, for tests of pages; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox, since tests may run as root in a container; nothing that asks the network by itself.
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WIDTHS = (400, 1280, 1920)


def chromium() -> str | None:
    """Its path: as the environment's CHROMIUM says, or a name on the path; None without one."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def started() -> Iterator[Any]:
    """A browser, headless, with a new profile that goes with it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


class Opened:
    """A page from disk, with all that it complained of and asked for.

    Attributes:
        page: Playwright's.
        complaints: of its console, warnings included, and uncaught errors.
        requests: addresses that are no file, data or blob.
    """

    def __init__(self, browser: Any, file: Path, address: str = "", width: int = 1280) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(f"{file.as_uri()}{address}")
        self.page.wait_for_function("window.explorer !== undefined")
        self.settle()

    def go(self, address: str = "", width: int = 1280) -> Opened:
        """The page as a link to this view opens it, without what it complained of before."""
        self.complaints.clear()
        self.requests.clear()
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.evaluate(
            """(address) => {
              document.activeElement.blur();
              scrollTo(0, 0);
              history.replaceState(null, "", address || location.pathname);
              explorer.play(false);
              explorer.open();
            }""",
            address,
        )
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until every chart that is near has drawn what was asked of it."""
        self.page.evaluate(
            """async () => {
              const frame = () => new Promise(requestAnimationFrame);
              const pause = async () => { await frame(); await frame(); };
              await pause();
              const { curves, panels } = explorer;
              for (const one of [...curves.figures.values(), curves.arrivals]) await one?.pending;
              for (const { figure, figures } of panels) {
                for (const one of figures?.values() ?? [figure]) await one?.pending;
              }
              await pause();
            }"""
        )

    def drawn(self, figure: str, name: str) -> list[dict[str, Any]]:
        """The rows that a chart has of one of its data: `explorer.<figure>`'s `name`."""
        rows: list[dict[str, Any]] = self.page.evaluate(
            f"explorer.{figure}.result.view.data({name!r})"
        )
        return rows

    def draw_all(self) -> None:
        """Draw the charts that are far from what is seen, too."""
        height = self.page.evaluate("document.documentElement.scrollHeight")
        width = self.page.viewport_size["width"]
        self.page.set_viewport_size({"width": width, "height": min(height + 100, 8_000)})
        self.page.wait_for_timeout(50)
        self.settle()

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.requests.append(request.url)
