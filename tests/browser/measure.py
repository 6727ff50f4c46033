"""Measure the page on a phone and a projector: `python tests/browser/measure.py URL [FOLDER]`.

For each tab and lesson: screens to scroll, targets under 40 px, and the layout shift while it loads. Screenshots go
into the folder, if one is given.
"""

import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PLACES = (
    "tab=segment",
    "tab=compare",
    "tab=batch",
    "tab=about",
    "lesson=teach",
    "lesson=fc-as-conv",
    "lesson=size-trace",
    "lesson=transposed-conv",
    "lesson=adaptive-pooling",
    "lesson=transfer",
    "lesson=why",
)
SIZES = {"desktop": (1280, 720), "phone": (360, 740)}
SMALLEST = 40  # pixels a side that a finger hits
SETTLED = 3.0  # seconds after which nothing moves any more
# What can be operated and is shown. A label that holds its field is the target; a link inside a sentence may be small.
SMALL = """(least) => {
  const target = (element) => element.closest("label:has(input)") ?? element;
  const all = [...document.querySelectorAll("button, a[href], input, select, textarea, summary, [role=tab]")]
    .filter((element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .filter((element) => !element.disabled && element.type !== "file" && !element.closest("p, li, footer, td"))
    .map(target);
  return [...new Set(all)]
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.width < least - 0.5 || box.height < least - 0.5))
    .map(([element, box]) => `${Math.round(box.width)}×${Math.round(box.height)} `
      + element.outerHTML.replaceAll(/ class="[^"]*"/g, "").slice(0, 110));
}"""
SHIFT = """() => {
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
}"""


def open_place(browser: Browser, url: str, place: str, size: tuple[int, int], scheme: str = "light") -> Page:
    """Open one view and wait until it is drawn."""
    is_phone = size == SIZES["phone"]
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        is_mobile=is_phone,
        has_touch=is_phone,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.add_init_script(f"({SHIFT})()")
    page.goto(f"{url}?{place}")
    page.wait_for_selector("#said [data-view]", state="attached", timeout=120_000)
    page.wait_for_function("[...document.images].every((image) => image.complete || image.loading === 'lazy')")
    time.sleep(SETTLED)
    return page


def main(url: str, folder: Path | None) -> None:
    """Print a line for each view."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(args=["--no-sandbox", "--disable-gpu"], executable_path=path)
        every: set[str] = set()
        for name, size in SIZES.items():
            for place in PLACES:
                page = open_place(browser, url, place, size)
                small = page.evaluate(SMALL, SMALLEST)
                every |= set(small) if name == "phone" else set()
                height = page.evaluate("document.documentElement.scrollHeight") / size[1]
                print(
                    f"{name} {place}: {height:.1f} screens, {len(small)} targets under {SMALLEST} px, "
                    f"layout shift {page.evaluate('window.shift'):.3f}",
                    flush=True,
                )
                if folder:
                    page.screenshot(path=folder / f"{name}-{place.split('=')[1]}.png", full_page=name == "phone")
                page.context.close()
        print(f"phone, all views: {len(every)} different targets under {SMALLEST} px", *sorted(every), sep="\n  ")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/") + "/", Path(sys.argv[2]) if len(sys.argv) > 2 else None)
