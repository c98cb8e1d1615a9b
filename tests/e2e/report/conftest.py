"""A real Chromium without network: skipped where none is installed, but never in CI."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        end = pytest.fail if os.environ.get("CI") else pytest.skip
        end("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a file; at the end no error, dialog, policy violation or request may have occurred."""
    contexts, troubles = [], []

    def opened(path: Path, width: int = 1280, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: _note_request(request.url, path, troubles))
        page.goto(path.as_uri())
        if page.locator("#held-rows").count():
            page.wait_for_selector("#row-list > li", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def _note_request(url: str, path: Path, troubles: list[str]) -> None:
    if url != path.as_uri() and not url.startswith("data:"):
        troubles.append(f"requested {url}")
