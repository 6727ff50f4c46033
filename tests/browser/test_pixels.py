"""A click on a picture asks for the pixel below it, whatever the picture's shape, the window and the zoom."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

SLOW = 60_000
GRID = 7
NEAR = 2  # pixels of the photo
COVERED = 6  # cells of a grid that may lie under the picture's own buttons, and in fullscreen under the answer
WINDOWS = {
    "projector": {"width": 1280, "height": 720},
    "large": {"width": 1920, "height": 1080},
    "phone": {"width": 360, "height": 740, "has_touch": True, "is_mobile": True},
}
PICTURES = ("photo", "overlay")
NONE_WRONG = {"photo": [], "overlay": []}
FIRST = (256, 256)  # the size of the example that is there first
ROTATED = 6  # EXIF orientation: to be turned by a quarter
# Clicks the middle of each cell of a grid over a picture that is shown whole, to a whole pixel of the window as a mouse
# does. Gives for each where it was, in shares of the sides, whether a button lies there, and the shares that the page
# asks about: null where it asks nothing.
CLICKS = """(image, count) => {
  const shares = [...Array(count).keys()].map((index) => (index + 0.5) / count);
  const box = image.getBoundingClientRect();
  const fits = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
  const scale = getComputedStyle(image).objectFit === "scale-down" ? Math.min(1, fits) : fits;
  const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
  const [left, top] = [box.x + (box.width - width) / 2, box.y + (box.height - height) / 2];
  return shares.flatMap((y) => shares.map((x) => {
    const clientX = Math.round(left + x * width), clientY = Math.round(top + y * height);
    const at = { x: (clientX - left) / width, y: (clientY - top) / height };
    const hit = document.elementFromPoint(clientX, clientY);
    if (hit.closest(".icon-button-wrapper, #pixel")) return { at, covered: true };
    const before = segdemo.asked();
    hit.dispatchEvent(new MouseEvent("click", { clientX, clientY, bubbles: true, detail: 1, view: window }));
    return { at, covered: false, asked: segdemo.asked() === before ? null : segdemo.asked() };
  }));
}"""

# A whole pixel of the window near the picture's lower left corner, and where in the picture it is.
CORNER = """(image) => {
  const box = image.getBoundingClientRect();
  const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
  const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
  const [left, top] = [box.x + (box.width - width) / 2, box.y + (box.height - height) / 2];
  const x = Math.round(left + 0.1 * width), y = Math.round(top + 0.9 * height);
  return { x, y, across: (x - left) / width, down: (y - top) / height };
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
    photo = page.locator("#photo")
    photo.get_by_label("Remove Image").or_(photo.get_by_label("Clear")).first.click()
    photo.locator("input[type=file]").set_input_files(str(path))
    expect(page.locator("#facts")).to_contain_text(f"{size[0]}×{size[1]}", timeout=SLOW)
    page.wait_for_function(
        "stem => ['photo', 'overlay'].every((name) => { const image = document.querySelector(`#${name} img`);"
        " return image?.src.includes(stem) && image.complete && image.naturalWidth > 0; })",
        arg=path.stem,
    )


def wrong_clicks(page, picture, size):
    """Click every cell of a grid; gives those whose answer is further off than allowed, dead clicks among them."""
    image = page.locator(f"#{picture} img")
    image.scroll_into_view_if_needed()
    answers = image.evaluate(CLICKS, GRID)
    assert len(answers) == GRID**2
    assert sum(answer["covered"] for answer in answers) <= COVERED
    return [answer for answer in answers if not answer["covered"] and not _is_right(answer, picture, size)]


def _is_right(answer, picture, size):
    at, asked = answer["at"], answer["asked"]
    if asked is None or asked["picture"] != picture:
        return False
    return all(abs(asked[axis] - at[axis]) * side <= NEAR for axis, side in zip("xy", size, strict=True))


def near(spot, size):
    """Give a pattern of the pixels that a click on a spot may be answered with."""
    numbers = []
    for share, side in zip((spot["across"], spot["down"]), size, strict=True):
        numbers.append("|".join(str(number) for number in range(side) if abs(number + 0.5 - share * side) <= NEAR))
    return re.compile(rf"\(({numbers[0]}), ({numbers[1]})\)")


@pytest.mark.parametrize("window", WINDOWS)
def test_every_cell_of_a_grid_of_clicks_is_right(open_page, window):
    page = open_page(**WINDOWS[window])
    assert {name: wrong_clicks(page, name, FIRST) for name in PICTURES} == NONE_WRONG


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("picture", PICTURES)
def test_in_fullscreen_clicks_are_right_and_the_answer_is_seen(open_page, window, picture):
    page = open_page(**WINDOWS[window])
    page.locator(f"#{picture}").get_by_label("Fullscreen").click()
    expect(page.locator(f"#{picture}")).to_have_class(re.compile("fullscreen"))
    page.wait_for_timeout(500)
    assert wrong_clicks(page, picture, FIRST) == []
    expect(page.locator("#pixel meter")).to_have_count(4, timeout=SLOW)
    box = page.locator("#pixel .pixel").bounding_box()
    hit = "([x, y]) => document.elementFromPoint(x, y).closest('#pixel') !== null"
    assert page.evaluate(hit, [box["x"] + box["width"] / 2, box["y"] + 5])


@pytest.mark.parametrize(
    ("size", "orientation"),
    [((3000, 2000), 1), ((600, 200), 1), ((150, 450), 1), ((40, 30), 1), ((200, 320), ROTATED)],
)
def test_photos_of_any_shape_are_read_where_they_are_clicked(open_page, tmp_path, size, orientation):
    page = open_page()
    upload(page, photo_of(size, tmp_path, orientation), size)
    assert {name: wrong_clicks(page, name, size) for name in PICTURES} == NONE_WRONG
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert {name: wrong_clicks(page, name, size) for name in PICTURES} == NONE_WRONG
    spot = page.locator("#overlay img").evaluate(CORNER)
    page.mouse.click(spot["x"], spot["y"])
    expect(page.locator("#pixel")).to_contain_text(near(spot, size), timeout=SLOW)


def test_a_tap_is_answered_with_its_pixel(open_page):
    page = open_page(**WINDOWS["phone"])
    spot = page.locator("#overlay img").evaluate(CORNER)
    page.touchscreen.tap(spot["x"], spot["y"])
    expect(page.locator("#pixel")).to_contain_text(near(spot, FIRST), timeout=SLOW)


_PLACE = r"\((\d+), (\d+)\)"
_ASKED_ABOUT_ANOTHER = rf"""before => {{
    const said = document.querySelector('#pixel').innerText.match(/{_PLACE}/);
    return said && String(said.slice(1).map(Number)) !== String(before);
}}"""


def asked_about(page):
    """Give the pixel that the page's answer is about, if it gives one."""
    x, y = re.search(_PLACE, page.locator("#pixel").inner_text()).groups()
    return int(x), int(y)


def test_arrow_keys_move_the_pixel_that_is_asked_about(open_page):
    page = open_page()
    picture = page.locator("#overlay .image-container > button")
    picture.focus()
    places = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        before = places[-1] if places else None
        picture.press(key)
        page.wait_for_function(_ASKED_ABOUT_ANOTHER, arg=before, timeout=SLOW)
        places.append(asked_about(page))
    (right, first), (same, lower), (left, _), (_, upper) = places
    assert (right, left) == (same, 128)
    assert right > 128
    assert lower > first == upper


def test_a_click_beside_the_picture_says_nothing(open_page, tmp_path):
    page = open_page()
    upload(page, photo_of((150, 450), tmp_path), (150, 450))
    box = page.locator("#overlay img").bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    page.wait_for_timeout(500)
    expect(page.locator("#pixel meter")).to_have_count(0)
