"""Take the README's pictures from the running page: `python docs/screenshots.py`.

It starts the app, waits until each view is drawn, and writes WebP files beside this script. Wants what
requirements-dev.txt names, and Chromium, Chrome or Edge.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

import app  # noqa: E402 - found through the path above

WIDE, NARROW = (1280, 720), (360, 780)
# File, address, size, colour scheme, and what must be on the page before it is taken.
PICTURES = (
    ("page", "", WIDE, "light", "#overlay img"),
    ("page-narrow", "", NARROW, "light", "#overlay img"),
    ("compare", "?tab=compare", WIDE, "light", "#cmp-apart img"),
    ("lesson", "?lesson=transposed-conv", WIDE, "dark", "#tc-large img"),
    ("lesson-narrow", "?lesson=adaptive-pooling", NARROW, "dark", "#ap-matrix img"),
)
QUALITY = 82
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    """Start the app, take every picture, stop it."""
    _, url, _ = app.launch(app.demo, prevent_thread_lock=True, quiet=True)
    try:
        with sync_playwright() as playwright:
            browser = open_browser(playwright)
            for name, query, size, scheme, awaited in PICTURES:
                picture = take(browser, url + query, size, scheme, awaited)
                path = FOLDER / f"{name}.webp"
                picture.save(path, quality=QUALITY, method=6)
                print(f"{path.name}: {picture.width}×{picture.height}, {path.stat().st_size / 1024:.0f} KB")
            browser.close()
    finally:
        app.demo.close(verbose=False)


def open_browser(playwright: Playwright) -> Browser:
    """Start the first browser that is found.

    Raises:
        playwright.sync_api.Error: There is none.
    """
    paths = [path for name in BROWSERS if (path := shutil.which(name))]
    ways = [{"executable_path": path} for path in paths] + [{"channel": "chrome"}, {"channel": "msedge"}]
    for way in ways:
        try:
            return playwright.chromium.launch(args=["--no-sandbox", "--disable-gpu"], **way)
        except Error:
            continue
    return playwright.chromium.launch()


def take(browser: Browser, url: str, size: tuple[int, int], scheme: str, awaited: str) -> Image.Image:
    """Take one picture.

    Args:
        browser: From `open_browser`.
        url: Of the view.
        size: Of the window, width and height.
        scheme: Light or dark.
        awaited: A selector of what must be visible.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale="en-GB",
        reduced_motion="reduce",
        is_mobile=size == NARROW,
        device_scale_factor=2 if size == NARROW else 1,
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#said [data-view]", state="attached", timeout=60_000)
    page.wait_for_selector(awaited, timeout=120_000)
    page.wait_for_function("[...document.images].every((image) => image.complete || image.loading === 'lazy')")
    page.evaluate("scrollTo(0, 0)")
    shot = page.screenshot(animations="disabled", caret="hide")
    context.close()
    return Image.open(io.BytesIO(shot)).convert("RGB")


if __name__ == "__main__":
    main()
