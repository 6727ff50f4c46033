"""What the page shows belongs to what is chosen; every control works by keyboard; work can be stopped and overtaken."""

import base64
import re
import time

import pytest
from PIL import Image
from playwright.sync_api import expect

from segdemo import catalog
from segdemo.segmenter import Segmenter
from segdemo.ui import inference

SLOW = 120_000
VIEWS = 6  # passes of best quality
GREY = "results => getComputedStyle(results).filter"


def source(page, name):
    return page.locator(f"#{name} img").get_attribute("src")


def choose(page, name):
    page.locator("#network input").click()
    page.get_by_role("option", name=catalog.find(name).label, exact=True).click()


def is_grey(page):
    return "grayscale" in page.locator(".work:visible .results").evaluate(GREY)


def empty_photo(page):
    photo = page.locator("#photo")
    photo.get_by_label("Remove Image").or_(photo.get_by_label("Clear")).first.click()


@pytest.fixture
def slow_passes(monkeypatch):
    """Make every pass of the network take three seconds, and count them."""
    counted = []
    original = Segmenter._segment

    def slow(self, *arguments):
        counted.append(self.name)
        time.sleep(3)  # long enough to press Stop on a busy machine
        return original(self, *arguments)

    monkeypatch.setattr(Segmenter, "_segment", slow)
    return counted


def test_a_network_that_cannot_be_loaded_leaves_the_one_before_chosen(open_page, monkeypatch):
    def fail(name):
        raise ValueError(f"The weights of {name} could not be reached.")

    page = open_page()
    story = page.locator("#story").inner_text()
    monkeypatch.setattr(inference, "load_segmenter", fail)
    choose(page, "unet_vgg16_bn")
    expect(page.locator("#problem")).to_contain_text("could not be reached", timeout=SLOW)
    expect(page.locator("#network input")).to_have_value(catalog.find("fcn8s_vgg16").label)
    expect(page.locator("#story")).to_have_text(story, use_inner_text=True)
    expect(page.locator("#facts")).to_contain_text("VGG-FCN-8s")


def test_sliders_answer_to_keys_and_to_numbers(open_page):
    page = open_page()
    own = catalog.find("fcn8s_vgg16").metadata.analysis_size
    page.locator("#size input[type=range]").press("ArrowRight")
    expect(page.locator("#facts")).to_contain_text(f"analysed at {own + 8}×{own + 8}", timeout=SLOW)
    number = page.locator("#size input[type=number]")
    number.fill("64")
    number.press("Enter")
    expect(page.locator("#facts")).to_contain_text("analysed at 64×64", timeout=SLOW)


def test_a_number_out_of_range_is_no_error(open_page):
    page = open_page()
    failed = []
    page.on("response", lambda response: failed.append(response.url) if response.status >= 500 else None)
    number = page.locator("#opacity input[type=number]")
    for text in ("-1", "", "7"):
        old = source(page, "overlay")
        number.fill(text)
        expect(page.locator("#overlay img")).not_to_have_attribute("src", old, timeout=SLOW)
    assert failed == []


def test_back_and_forward_go_through_the_tabs(open_page, demo_url):
    page = open_page()
    for name in ("About", "Batch"):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page).to_have_url(f"{demo_url}?tab={name.lower()}")
    page.go_back()
    expect(page.get_by_role("tab", name="About", exact=True)).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page.get_by_role("tab", name="Segment", exact=True)).to_have_attribute("aria-selected", "true")
    page.go_forward()
    expect(page.get_by_role("tab", name="About", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(f"{demo_url}?tab=about")


def test_the_upload_icon_opens_the_dialog_and_a_pasted_picture_is_taken(open_page, striped_photo):
    page = open_page()
    with page.expect_file_chooser() as chooser:
        page.locator("#photo").get_by_label("Upload file").click()
    chooser.value.set_files(str(striped_photo))
    expect(page.locator("#facts")).to_contain_text("photo 300×200", timeout=SLOW)
    Image.new("RGB", (91, 60), "blue").save(striped_photo)
    page.evaluate(
        """data => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
          document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        base64.b64encode(striped_photo.read_bytes()).decode(),
    )
    expect(page.locator("#facts")).to_contain_text("photo 91×60", timeout=SLOW)


def test_the_network_s_name_is_not_cut(open_page):
    field = open_page().locator("#network input")
    assert field.evaluate("field => field.clientWidth > 0.7 * field.closest('#network').clientWidth")


def test_a_batch_says_how_far_it_is_and_can_be_stopped(open_page, slow_passes, tmp_path):
    paths = []
    for number in range(8):
        paths.append(tmp_path / f"photo{number}.png")
        Image.new("RGB", (40 + number, 30), "green").save(paths[-1])
    page = open_page()
    page.get_by_role("tab", name="Batch").click()
    page.locator("#batch-photos input[type=file]").set_input_files([str(path) for path in paths])
    expect(page.locator("#batch-photos")).to_contain_text("photo7")
    page.locator("#batch-run").click()
    expect(page.locator("#batch-gallery")).to_contain_text(re.compile(r"2 of 8, photo1\.png"), timeout=SLOW)
    page.locator("#batch-stop").click()
    expect(page.locator("#batch-problem")).to_contain_text(re.compile(r"Stopped: \d of 8 photos"), timeout=SLOW)
    assert page.locator("#batch-table tbody tr").count() < 8


def test_stop_ends_the_passes_and_brings_the_controls_back(open_page, slow_passes):
    page = open_page()
    before = shown(page, "overlay")
    page.locator("#best-quality input").check()
    expect(page.locator("#overlay")).to_contain_text(re.compile("pass 2 of 6"), timeout=SLOW)
    page.locator("#stop").click(timeout=SLOW)
    expect(page.locator("#problem")).to_contain_text("Stopped.", timeout=SLOW)
    expect(page.locator("#best-quality input")).not_to_be_checked()
    expect(page.locator("#stop")).to_be_hidden(timeout=SLOW)
    assert len(slow_passes) < VIEWS
    assert shown(page, "overlay") == before
    assert not is_grey(page)


def test_the_newest_choice_overtakes_what_nobody_waits_for(open_page, slow_passes):
    page = open_page()
    page.locator("#best-quality input").check()
    expect(page.locator("#overlay")).to_contain_text(re.compile("pass 1 of 6"), timeout=SLOW)
    page.locator("#examples .gallery-item").nth(1).click()
    page.locator("#best-quality input").uncheck()
    expect(page.locator("#overlay img")).to_have_attribute("src", re.compile("lion"), timeout=SLOW)
    expect(page.locator("#best-quality input")).not_to_be_checked()
    assert len(slow_passes) < VIEWS  # of the cheetah at best quality, of the lion so and of the lion alone
    assert page.locator("#problem").inner_text().strip() == ""


def test_after_a_bad_file_the_good_photo_and_its_result_stand_there_again(open_page, striped_photo, tmp_path):
    page = open_page()
    old = source(page, "overlay")
    empty_photo(page)
    expect(page.locator("#problem")).to_contain_text("There is no photo", timeout=SLOW)
    assert is_grey(page)
    page.locator("#photo input[type=file]").set_input_files(str(striped_photo))
    expect(page.locator("#overlay img")).not_to_have_attribute("src", old, timeout=SLOW)
    expect(page.locator("#facts")).to_contain_text("300×200")
    old, photo = shown(page, "overlay"), shown(page, "photo")
    broken = tmp_path / "holiday.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no photo")
    empty_photo(page)
    page.locator("#photo input[type=file]").set_input_files(str(broken))
    expect(page.locator("#problem")).to_contain_text("holiday.jpg is damaged", timeout=SLOW)
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile("stripes"), timeout=SLOW)
    assert shown(page, "photo") == photo
    assert shown(page, "overlay") == old
    assert not is_grey(page)


def shown(page, name):
    """Give the file that a picture shows: one that is drawn again has another address."""
    return page.request.get(source(page, name)).body()
