"""A real Chromium without network: skipped where none is installed, but never in CI."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import sync_playwright

from tests.made import undrawn

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module", autouse=True)
def quick_figures() -> Iterator[None]:
    """Nobody looks at a figure here, and drawing it takes longer than the rest of a report."""
    with pytest.MonkeyPatch.context() as patch:
        undrawn.undraw(patch.setattr)
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        end = pytest.fail if os.environ.get("CI") else pytest.skip
        end("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shared_page(browser: Any) -> Any:
    """The one page in which all tests look: a process of its own for each would cost most of it."""
    return browser.new_page()


@pytest.fixture
def open_page(shared_page: Any) -> Iterator[Callable[..., Any]]:
    """Open a file or an address; an error, dialog, policy violation or foreign request fails."""
    page, troubles, opened_at = shared_page, [], [""]

    def note_request(request: Any) -> None:
        url, (address,) = request.url, opened_at
        # A file asks for nothing but itself, a served page for what its own server has.
        ours = address.startswith("http:") and url.startswith(urljoin(address, "/"))
        if url != address and not ours and not url.startswith("data:"):
            troubles.append(f"requested {url}")

    def note_message(message: Any) -> None:
        # The icon of an earlier test's page may fail once its server is gone; requests of this
        # test's page to other places are noted above.
        url = message.location["url"]
        if not url.startswith("http:") or url.startswith(urljoin(opened_at[0], "/")):
            troubles.append(message.text)

    listeners = {
        "console": note_message,
        "pageerror": lambda error: troubles.append(str(error)),
        "dialog": lambda dialog: (troubles.append(dialog.message), dialog.dismiss()),
        "request": note_request,
    }
    for event, listener in listeners.items():
        page.on(event, listener)

    def opened(place: Path | str, width: int = 1280, scheme: str = "light") -> Any:
        opened_at[0] = place.as_uri() if isinstance(place, Path) else place
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto(opened_at[0])
        if page.locator("#held-rows").count():
            page.wait_for_selector("#row-list > li", state="attached")
        return page

    yield opened
    page.goto("about:blank")  # what the page still does is told to this test
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    assert troubles == []
