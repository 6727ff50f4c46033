"""The tasks at the end of each lesson: right answers pass, wrong ones get a hint and the formula."""

import pytest
from playwright.sync_api import expect

from segdemo.lessons.exercises import TASKS
from segdemo.ui.i18n import CATALOGUES

SLOW = 60_000
TEXTS = CATALOGUES["en"]


def typed(task):
    return " ".join(f"{value:g}" if value != int(value) else str(int(value)) for value in task.answer)


def choose(page, task, index):
    page.locator(f"#{task.key} label").nth(index).click()


def type_in(page, task, text):
    field = page.locator(f"#{task.key} input, #{task.key} textarea")
    field.fill(text)
    field.press("Enter")


@pytest.mark.parametrize("lesson", TASKS)
def test_right_answers_pass_and_wrong_ones_are_refused_with_hint_and_formula(open_page, lesson):
    page = open_page(query=f"?lesson={lesson}")
    for task in TASKS[lesson]:
        verdict = page.locator(f"#{task.key}-verdict")
        if task.choices:
            choose(page, task, (int(task.answer[0]) + 1) % task.choices)
        else:
            type_in(page, task, " ".join(["7"] * len(task.answer)))
        expect(verdict).to_contain_text("Not yet.", timeout=SLOW)
        expect(verdict).to_contain_text(TEXTS[f"task.{task.key}.hint"])
        worked = verdict.locator("details .worked")
        expect(worked).to_be_hidden()
        verdict.locator("summary").click()
        expect(worked).to_contain_text(TEXTS[f"task.{task.key}.worked"])
        if task.choices:
            choose(page, task, int(task.answer[0]))
        else:
            type_in(page, task, "what?")
            expect(verdict).to_contain_text("Type", timeout=SLOW)
            type_in(page, task, typed(task))
        expect(verdict).to_contain_text("Right.", timeout=SLOW)
        expect(verdict).to_contain_text(TEXTS[f"task.{task.key}.worked"])


def test_own_numbers_are_computed_and_a_link_carries_them(open_page, demo_url):
    page = open_page(query="?lesson=transposed-conv")
    output = page.locator("#own-output")
    expect(output).to_contain_text("= 4")  # the textbook's middle cell
    page.locator("#own-input textarea").fill("1 0\n0 1")
    page.locator("#own-kernel textarea").fill("1 2 3\n4 5 6\n7 8 9")
    expect(output).to_contain_text("1·9 + 0·8 + 0·6 + 1·5 = 14", timeout=SLOW)
    address = page.url
    assert "input=" in address and "kernel=" in address
    page.locator("#own-input textarea").fill("1 a")
    expect(output.get_by_role("alert")).to_be_visible(timeout=SLOW)
    again = open_page(query=address.removeprefix(demo_url))
    expect(again.locator("#own-kernel textarea")).to_have_value("1 2 3\n4 5 6\n7 8 9")
    expect(again.locator("#own-output")).to_contain_text("= 14", timeout=SLOW)


def test_upsamplings_are_compared_on_another_photo(open_page):
    page = open_page(query="?lesson=transposed-conv")
    table = page.locator("#up-table")
    for way in ("Learned:", "Bilinear:", "Nearest:", "Random:"):
        expect(table).to_contain_text(way)
    before = table.inner_text()
    page.locator("#up-examples .gallery-item").nth(1).click()
    expect(table).not_to_have_text(before, timeout=SLOW)


def test_each_lesson_ends_with_lines_of_torch(open_page):
    page = open_page(query="?lesson=teach")
    for lesson in TASKS:
        page.locator(f"[role=tab][data-tab-id='{lesson}']").first.evaluate("tab => tab.click()")
        expect(page.locator(".cm-content:visible").last).to_contain_text("import torch", timeout=SLOW)
