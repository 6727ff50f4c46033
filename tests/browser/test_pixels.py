"""A click on a picture asks for the pixel below it, whatever the picture's shape, the window and the zoom."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

SLOW = 60_000
GRID = 7
NEAR = 2  # pixels of the photo
WINDOWS = {
    "projector": {"width": 1280, "height": 720},
    "large": {"width": 1920, "height": 1080},
    "phone": {"width": 360, "height": 740, "has_touch": True, "is_mobile": True},
}
ROTATED = 6  # EXIF orientation: to be turned by a quarter
# Clicks the middle of each cell of a grid over a picture that is shown whole, one after the other, and gives for each
# where it was, in shares of the sides, and what the page said: null where it said nothing.
CLICKS = """async (image, count) => {
  const shares = [...Array(count).keys()].map((index) => (index + 0.5) / count);
  const answers = [];
  const said = () => document.querySelector("#pixel .pixel").innerText;
  for (const y of shares) for (const x of shares) {
    const box = image.getBoundingClientRect();
    const fits = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
    const scale = getComputedStyle(image).objectFit === "scale-down" ? Math.min(1, fits) : fits;
    const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
    const clientX = box.x + (box.width - width) / 2 + x * width;
    const clientY = box.y + (box.height - height) / 2 + y * height;
    const before = said(), start = performance.now();
    const click = new MouseEvent("click", { clientX, clientY, bubbles: true, detail: 1, view: window });
    document.elementFromPoint(clientX, clientY).dispatchEvent(click);
    while (said() === before && performance.now() - start < 5000) await new Promise(requestAnimationFrame);
    const found = said() === before ? null : said().match(/\\((\\d+), (\\d+)\\)/);
    answers.push([x, y, found && Number(found[1]), found && Number(found[2]), scale]);
  }
  return answers;
}"""


def photo_of(size, folder, orientation=1):
    """Write a photo of a size that it has when it stands upright."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 255, (8, 8, 3), np.uint8)
    stored = size[::-1] if orientation == ROTATED else size
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = folder / f"photo{size[0]}x{size[1]}o{orientation}.jpg"
    Image.fromarray(pixels).resize(stored, Image.Resampling.BICUBIC).save(path, exif=exif)
    return path


def upload(page, path, size):
    page.locator("#photo input[type=file]").set_input_files(str(path))
    expect(page.locator("#facts")).to_contain_text(f"photo {size[0]}×{size[1]}", timeout=SLOW)
    page.wait_for_function("stem => document.querySelector('#overlay img').src.includes(stem)", arg=path.stem)
    page.wait_for_function("document.querySelector('#overlay img').complete")


def wrong_clicks(page, picture, size):
    """Click every cell of a grid; gives the answers that are further off than allowed, dead clicks among them."""
    image = page.locator(f"#{picture} img")
    image.scroll_into_view_if_needed()
    answers = image.evaluate(CLICKS, GRID)
    assert len(answers) == GRID**2
    # A click on a photo that the page shows smaller falls on several of its pixels.
    return [
        (x, y, column, row)
        for x, y, column, row, scale in answers
        if column is None
        or max(abs(column + 0.5 - x * size[0]), abs(row + 0.5 - y * size[1])) > NEAR * max(1, 1 / scale)
    ]


@pytest.mark.parametrize("window", ["projector", "large"])
def test_every_cell_of_a_grid_of_clicks_is_right(open_page, window):
    page = open_page(**WINDOWS[window])
    size = (256, 256)
    assert {name: wrong_clicks(page, name, size) for name in ("photo", "overlay")} == {"photo": [], "overlay": []}


@pytest.mark.parametrize(("size", "orientation"), [((150, 450), 1), ((40, 30), 1), ((200, 320), ROTATED)])
def test_photos_of_any_shape_are_read_where_they_are_clicked(open_page, tmp_path, size, orientation):
    page = open_page()
    upload(page, photo_of(size, tmp_path, orientation), size)
    assert {name: wrong_clicks(page, name, size) for name in ("photo", "overlay")} == {"photo": [], "overlay": []}


@pytest.mark.parametrize("window", ["phone"])
def test_in_fullscreen_clicks_are_right_and_the_answer_is_seen(open_page, window):
    page = open_page(**WINDOWS[window])
    page.locator("#overlay").get_by_label("Fullscreen").click()
    expect(page.locator("#overlay")).to_have_class(re.compile("fullscreen"))
    page.wait_for_timeout(500)
    assert wrong_clicks(page, "overlay", (256, 256)) == []
    box = page.locator("#pixel .pixel").bounding_box()
    hit = "([x, y]) => document.elementFromPoint(x, y).closest('#pixel') !== null"
    assert page.evaluate(hit, [box["x"] + box["width"] / 2, box["y"] + 5])


def test_a_click_beside_the_picture_says_nothing(open_page, tmp_path):
    page = open_page()
    upload(page, photo_of((150, 450), tmp_path), (150, 450))
    box = page.locator("#overlay img").bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    page.wait_for_timeout(500)
    expect(page.locator("#pixel meter")).to_have_count(0)
