"""The lessons as a teacher uses them: move a control, read the changed result."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from steps import choose_photo, go

from segdemo.lessons import recorded_runs
from segdemo.ui import lesson_transfer

SLOW = 60_000


@pytest.fixture
def open_lesson(open_page):
    def opened(name, **options):
        page = open_page(**options)
        for tab in ("Lessons", name):
            go(page, tab)
        return page

    return opened


def move(page, name, value):
    page.locator(f"#{name} input[type=range]").fill(str(value))


def pixels(page, name, folder):
    path = folder / f"{name}.png"
    path.write_bytes(page.request.get(page.locator(f"#{name} img").get_attribute("src")).body())
    return np.asarray(Image.open(path).convert("RGB"))


def test_moving_the_stride_changes_the_size_and_the_picture(open_lesson, tmp_path):
    page = open_lesson("Transposed conv")
    sizes = page.locator("#tc-sizes")
    expect(sizes).to_contain_text("(3 − 1)·2 − 2·1 + 3 + 0 = 5")
    before = page.locator("#tc-large img").get_attribute("src")
    move(page, "tc-stride", 3)
    expect(sizes).to_contain_text("(3 − 1)·3 − 2·1 + 3 + 0 = 7")
    expect(page.locator("#tc-large img")).not_to_have_attribute("src", before)
    assert pixels(page, "tc-large", tmp_path).shape[0] % 7 == 0
    expect(page.locator("#tc-checks")).to_contain_text("3 is a multiple of 3")


def test_there_is_a_print_for_each_cell_of_the_input(open_lesson):
    page = open_lesson("Transposed conv")
    steps = page.locator("#tc-step input[type=range]")
    expect(steps).to_have_attribute("max", "9")
    move(page, "tc-input", 4)
    expect(steps).to_have_attribute("max", "16")
    expect(steps).to_have_value("16")
    before = page.locator("#tc-large img").get_attribute("src")
    move(page, "tc-step", 15)
    expect(page.locator("#tc-large img")).not_to_have_attribute("src", before)


@pytest.mark.parametrize(
    ("line", "size"),
    [("k 2, s 1, p 0", 4), ("k 2, s 1, p 1", 2), ("k 3, s 1, p 0", 5), ("k 3, s 1, p 1", 3), ("k 2, s 2, p 0", 6)],
)
def test_the_tutorials_lines_are_one_click_away(open_lesson, line, size):
    page = open_lesson("Transposed conv")
    page.get_by_role("button", name=line).click()
    expect(page.locator("#tc-sizes")).to_contain_text(f"Output {size}×{size}")


def test_a_setting_that_leaves_nothing_gets_a_sentence(open_lesson):
    page = open_lesson("Transposed conv")
    move(page, "tc-output-padding", 3)
    expect(page.locator("#tc-sizes")).to_contain_text("must be below the stride, 2")
    move(page, "tc-output-padding", 0)
    expect(page.locator("#tc-sizes")).to_contain_text("= 5")


def test_the_fcn_s_own_kernel_can_be_looked_at(open_lesson):
    page = open_lesson("Transposed conv")
    page.get_by_label("learned by the FCN-8s").check()
    expect(page.locator("#tc-sizes")).to_contain_text("kernel 4, stride 2, padding 1")
    expect(page.locator("#tc-checks")).to_contain_text("4 is a multiple of 2")


def test_bins_follow_the_sliders(open_lesson):
    page = open_lesson("Adaptive pooling")
    bins = page.locator("#ap-bins")
    expect(bins).to_contain_text("[0, 2), [1, 4), [3, 6), [5, 7)")
    move(page, "ap-input", 2)
    expect(bins).to_contain_text("[0, 1), [0, 1), [1, 2), [1, 2)")
    expect(bins).to_contain_text("repeated")


def test_no_lesson_is_wider_than_a_phone(open_lesson):
    page = open_lesson("Transposed conv", width=360, height=780, has_touch=True, is_mobile=True)
    expect(page.locator("#tc-large img")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_size_trace_follows_network_and_size(open_lesson):
    page = open_lesson("Sizes")
    table = page.locator("#st-table")
    expect(table).to_contain_text("333×500 → 352×512")
    page.locator("#st-height input").fill("64")
    page.locator("#st-height input").press("Tab")
    expect(table).to_contain_text("64×500 → 64×512")
    page.locator("#st-network input").click()
    page.get_by_role("option", name="Classifier, 1×1 conv · pets and people", exact=True).click()
    expect(table).to_contain_text("backbone.0")
    page.locator("#st-width input").fill("0")
    page.locator("#st-width input").press("Tab")
    expect(table).to_contain_text("between 1 and 8,192")


def test_a_forgotten_bias_is_seen_in_the_scores(open_lesson):
    page = open_lesson("Linear to 1×1 conv")
    steps = page.locator("#fc-steps")
    expect(steps).to_contain_text("512 numbers")
    expect(steps).to_contain_text("[4, 512, 1, 1]")
    expect(steps).to_contain_text("shapes cannot be multiplied")
    before = page.locator("#fc-dog img").get_attribute("src")
    page.get_by_label("Forget the bias").check()
    expect(page.locator("#fc-note")).to_contain_text("off by a constant per class")
    expect(page.locator("#fc-dog img")).not_to_have_attribute("src", before)


def test_the_classifier_is_slid_over_the_photo(open_lesson):
    page = open_lesson("Linear to 1×1 conv")
    page.locator("#fc-slide").click()
    expect(page.locator("#fc-slid")).to_contain_text("times as long", timeout=60_000)
    expect(page.locator("#fc-map-2 img")).to_be_visible()


@pytest.fixture
def logs(monkeypatch, tmp_path):
    """Let the lesson find two recorded runs."""
    monkeypatch.setattr(lesson_transfer, "LOGS", tmp_path)
    head = "training,photos,encoder_rate,step,minutes,loss,miou,foreground_iou,pixel_accuracy"
    rows = ("frozen,3000,0.1,20,3.0,0.9,0.61,0.71,0.81", "fine-tuned,100,0.1,20,7.0,0.7,0.64,0.74,0.84")
    (tmp_path / recorded_runs.RUNS).write_text("\n".join((head, *rows)), encoding="utf-8")
    return tmp_path


def test_recorded_curves_follow_comparison_figure_and_axis(logs, open_lesson):
    page = open_lesson("Transfer learning")
    curves = page.locator("#tl-curves")
    page.get_by_label("foreground IoU", exact=True).check()
    expect(curves).to_contain_text("frozen: 0.710")
    page.get_by_label("100 photos", exact=True).check()
    expect(curves).to_contain_text("fine-tuned: 0.740")
    picture = curves.get_by_role("img")
    expect(picture).to_have_accessible_name(re.compile("foreground IoU by step.*fine-tuned: 0.740"))
    page.get_by_label("minutes", exact=True).check()
    expect(picture).to_have_accessible_name(re.compile("by minutes"))
    curves.get_by_text("All numbers").click()
    expect(curves.get_by_role("row", name="fine-tuned 20 7.0 0.640 0.740 0.840 0.700")).to_be_visible()


def test_a_chart_is_saved_as_a_file(logs, open_lesson, tmp_path):
    page = open_lesson("Transfer learning")
    with page.expect_download() as caught:
        page.locator("#tl-start").get_by_role("link", name="Save: Std of the activations").click()
    caught.value.save_as(tmp_path / "chart.svg")
    assert caught.value.suggested_filename == "activations-std.svg"
    assert (tmp_path / "chart.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_what_is_trainable_follows_the_training(open_lesson):
    page = open_lesson("Transfer learning")
    parts = page.locator("#tl-parts")
    expect(parts.get_by_role("row", name="encoder stage 5")).to_contain_text(
        "stay\tanother network", use_inner_text=True
    )
    expect(parts).to_contain_text("parameters are trainable, 14.6%")
    page.get_by_label("from nothing", exact=True).check()
    expect(parts.get_by_role("row", name="encoder stage 5")).to_contain_text(
        "move\trandom weights", use_inner_text=True
    )
    expect(parts).to_contain_text("parameters are trainable, 100.0%")


def test_batchnorm_moves_with_the_batches_and_their_brightness(open_lesson):
    page = open_lesson("Transfer learning")
    norm = page.locator("#tl-norm")
    train, evaluated = (norm.get_by_role("row", name=f"{mode}, BatchNorm 1") for mode in ("train", "eval"))
    expect(train).not_to_contain_text("0.0000")
    expect(evaluated).to_contain_text("0.0000")
    before = train.text_content()
    move(page, "tl-brightness", 20)
    expect(train).not_to_have_text(before)
    expect(evaluated).to_contain_text("0.0000")
    move(page, "tl-batches", 0)
    expect(train).to_contain_text("0.0000")


def test_the_line_that_freezes_nothing_is_told_from_the_one_that_does(open_lesson):
    page = open_lesson("Transfer learning")
    trap = page.locator("#tl-trap")
    expect(trap).to_contain_text("Guess which lines freeze")
    page.get_by_label("parameter.requires_grad_ = False", exact=True).check()
    expect(trap).to_contain_text("it freezes nothing")
    expect(trap).to_contain_text("'bool' object is not callable")
    page.get_by_label("parameter.requires_grad_(False)", exact=True).check()
    expect(trap).to_contain_text("it freezes.")
    expect(trap).to_contain_text("after 0")


def test_weights_that_start_too_small_make_the_signal_vanish(open_lesson):
    page = open_lesson("Transfer learning")
    start = page.locator("#tl-start")
    expect(start).to_contain_text("The signal stays.")
    page.get_by_label("normal, std 0.01", exact=True).check()
    expect(start).to_contain_text("The signal vanishes.")
    page.get_by_label("He, fan in", exact=True).check()
    page.get_by_label("ReLU after each conv").uncheck()
    expect(start).to_contain_text("The signal explodes.")
    move(page, "tl-depth", 5)
    expect(start).to_contain_text("Activations of layer 5")
    saved = start.text_content()
    move(page, "tl-draw", 2)
    expect(start).not_to_have_text(saved)


def test_the_lesson_on_transfer_fits_a_phone(open_lesson):
    page = open_lesson("Transfer learning", width=360, height=780, has_touch=True, is_mobile=True)
    expect(page.locator("#tl-start svg").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_another_photo_has_other_skip_shares_and_feature_maps(open_lesson, striped_photo):
    page = open_lesson("Sizes")
    table, maps, part = page.locator("#ss-table"), page.locator("#fm-maps"), page.locator("#ss-pool4 img")
    expect(table).to_contain_text("The parts add up to the network's scores")
    expect(maps.locator("img")).to_have_count(36)
    before, old = table.inner_text(), part.get_attribute("src")
    page.locator("#st-examples .gallery-item").nth(1).click()
    expect(part).not_to_have_attribute("src", old, timeout=SLOW)
    assert table.inner_text() != before
    choose_photo(page, "st", striped_photo)
    expect(maps).to_contain_text("seen at 224×149 pixels", timeout=SLOW)
    shares = [cell.rstrip("%") for cell in table.locator("td:nth-child(3)").all_inner_texts()]
    assert sum(map(float, shares)) == pytest.approx(100, abs=0.2)


def test_another_network_has_other_feature_maps(open_lesson):
    page = open_lesson("Sizes")
    maps = page.locator("#fm-maps")
    expect(maps).to_contain_text("VGG-FCN-8s: the photo")
    page.locator("#fm-network input").click()
    page.get_by_role("option", name="Classifier, 1×1 conv · pets and people", exact=True).click()
    expect(maps).to_contain_text("Classifier, 1×1 conv: the photo", timeout=SLOW)
    expect(maps.locator("img")).to_have_count(30)
    with page.expect_download() as caught:
        maps.get_by_role("link").first.click()
    assert caught.value.suggested_filename == "stage1_mean.png"


def test_the_bins_are_drawn_with_the_cells_that_are_taken_again(open_lesson):
    page = open_lesson("Adaptive pooling")
    drawing = page.locator("#ap-drawing")
    expect(drawing.locator("path.bin")).to_have_count(4)
    expect(drawing.get_by_role("img")).to_have_attribute("aria-label", re.compile("7 input cells"))
    expect(drawing.get_by_text("×2", exact=True)).to_have_count(3)
    move(page, "ap-output", 9)
    expect(drawing.locator("path.bin")).to_have_count(9)
    expect(drawing.get_by_text("×2", exact=True)).to_have_count(6)


def test_a_photo_of_ones_own_is_pooled_and_classified_at_three_sizes(open_lesson, striped_photo):
    page = open_lesson("Adaptive pooling")
    pooled, sizes = page.locator("#ap-map"), page.locator("#ap-sizes")
    expect(sizes).to_contain_text("96×96 px")
    choose_photo(page, "ap", striped_photo)
    expect(pooled).to_contain_text("192×128 → 4×4, average", timeout=SLOW)
    expect(sizes).to_contain_text("96×64 px", timeout=SLOW)
    move(page, "ap-output", 6)
    expect(pooled).to_contain_text("192×128 → 6×6, average")
    page.locator("#ap-mode").get_by_label("max").check()
    expect(pooled).to_contain_text("192×128 → 6×6, max")
    rows = sizes.locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("shapes cannot be multiplied")
    expect(rows.nth(2)).not_to_contain_text("shapes cannot be multiplied")
    page.locator("#ap-made-for").get_by_label("96 px").check()
    expect(rows.nth(0)).not_to_contain_text("shapes cannot be multiplied", timeout=SLOW)
    expect(rows.nth(2)).to_contain_text("shapes cannot be multiplied")


@pytest.mark.parametrize("name", ["Sizes", "Adaptive pooling"])
def test_no_part_on_a_photo_is_wider_than_a_phone(open_lesson, name):
    page = open_lesson(name, width=360, height=780, has_touch=True, is_mobile=True)
    expect(page.locator("#fm-maps" if name == "Sizes" else "#ap-sizes")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
