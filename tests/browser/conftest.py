"""A headless Chromium for the tests of the page."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _launch(playwright: Playwright) -> Browser:
    installed = [path for name in NAMES if (path := shutil.which(name))]
    ways = [{"executable_path": path} for path in installed] + [{"channel": "chrome"}, {"channel": "msedge"}, {}]
    for way in ways:
        try:
            return playwright.chromium.launch(args=ARGUMENTS, **way)
        except Error:
            continue
    reason = "no Chromium, Chrome or Edge was found to test the page with"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    return pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = _launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, demo_url: str) -> Iterator[object]:
    """Give a function that opens the demo; afterwards no page may have asked another host or logged an error."""
    contexts, foreign, errors = [], [], []

    def opened(width: int = 1280, height: int = 720, query: str = "", **options: object) -> Page:
        script = options.pop("script", "")  # that runs before the page's own
        # Without transitions, so that a style that was just changed can be read.
        options = {"reduced_motion": "reduce", **options}
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.add_init_script(script)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: foreign.append(request.url) if _is_foreign(request.url, demo_url) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(demo_url + query)
        page.wait_for_selector("#said [data-view]", state="attached", timeout=120_000)
        if query:  # it may have opened another tab
            return page
        page.wait_for_selector("#overlay img", timeout=60_000)
        page.wait_for_function("document.querySelector('#overlay img').naturalWidth > 0")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert foreign == []
    assert errors == []


def _is_foreign(url: str, demo_url: str) -> bool:
    return not url.startswith((demo_url, "data:", "blob:"))
