"""Every tab and lesson: axe-core's rules, a phone's width, the keyboard, and paper."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from steps import go

# Each tab and lesson, by the tabs that lead to it, with an element of it.
PLACES = {
    ("Segment",): "#overlay img",
    ("Compare",): "#cmp-pair input",
    ("Batch",): "#batch-run",
    ("About",): "#about",
    ("Lessons", "Teach it"): "#teach-names",
    ("Lessons", "Linear to 1×1 conv"): "#fc-steps",
    ("Lessons", "Sizes"): "#st-table",
    ("Lessons", "Transposed conv"): "#tc-sizes",
    ("Lessons", "Adaptive pooling"): "#ap-bins",
    ("Lessons", "Transfer learning"): "#tl-parts",
    ("Lessons", "Why here?"): "#why-class",
}
PHONE = {"width": 360, "height": 780, "has_touch": True, "is_mobile": True}
GRAVE = ("serious", "critical")
# What axe finds in Gradio's own markup and nothing outside of it can mend: rule, a part of the element, and why.
KNOWN: tuple[tuple[str, str, str], ...] = ()
# Elements that reach over the right edge, unless a parent of theirs scrolls or clips by itself.
OVER_THE_EDGE = """() => {
  const inside = (element) => {
    for (let parent = element; parent && parent !== document.body; parent = parent.parentElement)
      if (getComputedStyle(parent).overflowX !== "visible") return true;
    return false;
  };
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !inside(element))
    .map((element) => element.outerHTML.slice(0, 120));
}"""


def visit(page):
    """Open every tab and lesson in turn, and give its name."""
    for tabs, element in PLACES.items():
        for name in tabs:
            go(page, name)
        expect(page.locator(element)).to_be_visible()
        page.wait_for_function("[...document.images].every((image) => image.complete || image.loading === 'lazy')")
        yield tabs[-1]


def grave_violations(page):
    violations = Axe().run(page).response["violations"]
    return [
        (violation["id"], node["target"], node["html"][:160], node["failureSummary"])
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
        if not any(rule == violation["id"] and part in node["html"] for rule, part, _ in KNOWN)
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, scheme):
    page = open_page(color_scheme=scheme)
    assert {name: found for name in visit(page) if (found := grave_violations(page))} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_axe_finds_nothing_serious_and_nothing_is_too_wide(open_page, scheme):
    page = open_page(color_scheme=scheme, **PHONE)
    problems = {name: page.evaluate(OVER_THE_EDGE) + grave_violations(page) for name in visit(page)}
    assert {name: found for name, found in problems.items() if found} == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_large_type_passes_too(open_page):
    page = open_page(query="?lesson=transposed-conv&present=1", **PHONE)
    expect(page.locator("#tc-sizes")).to_be_visible(timeout=60_000)
    assert page.evaluate(OVER_THE_EDGE) == []
    assert grave_violations(page) == []
    buttons, image = (page.locator(f"#tc-small {part}").bounding_box() for part in (".icon-button-wrapper", "img"))
    assert buttons["y"] + buttons["height"] <= image["y"], "the first row's numbers are not hidden"


# What the Tab key must reach: all that can be operated and is shown; of a group of radio buttons one is enough, and of
# a row of tabs the chosen one or each.
OPERABLE = """() => [...document.querySelectorAll(
    "button, a[href], input, select, textarea, summary, [tabindex='0']")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled)
  .filter((element) => element.type !== "file" && element.tabIndex >= 0)
  .filter((element) => element.type !== "radio" || element.checked)
  .filter((element) => !element.closest("footer, .overflow-menu"))
  .map((element, index) => { element.dataset.stop = index; return element.outerHTML.slice(0, 120); })"""
FOCUSED = """() => {
  const element = document.activeElement, style = getComputedStyle(element);
  const parent = element.parentElement && getComputedStyle(element.parentElement);
  const seen = style.outlineStyle !== "none" || style.boxShadow !== "none" || parent?.outlineStyle !== "none";
  return [element.dataset.stop ?? null, seen, element.outerHTML.slice(0, 120)];
}"""


def test_the_tab_key_reaches_every_control_and_shows_where_it_is(open_page):
    page = open_page()
    problems = {name: unreached(page) for name in visit(page)}
    assert {name: found for name, found in problems.items() if found} == {}


def unreached(page):
    """Walk through the page by the Tab key; gives the controls it passed by, and those that do not show the focus."""
    page.locator("#copy-link").focus()
    stops = page.evaluate(OPERABLE)
    reached, unseen = {page.evaluate(FOCUSED)[0]}, []
    every = {str(index) for index in range(len(stops))}
    for _ in range(2 * len(stops) + 10):
        if every <= reached:
            break
        page.keyboard.press("Tab")
        stop, seen, html = page.evaluate(FOCUSED)
        if stop is None or stop in reached:
            continue
        reached.add(stop)
        unseen += [] if seen else [f"focus not seen: {html}"]
    return [stops[int(index)] for index in sorted(every - reached, key=int)] + unseen


@pytest.mark.parametrize(
    ("query", "text"), [("?tab=segment", ".facts"), ("?lesson=transposed-conv", "#tc-sizes .formula")]
)
def test_paper_is_light_and_without_buttons(open_page, query, text):
    page = open_page(query=query, color_scheme="dark")
    expect(page.locator(text)).to_be_visible()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.locator("#present")).to_be_hidden()
    expect(page.get_by_role("tab").first).to_be_hidden()
    assert grave_violations(page) == []  # dark text on light
