"""The Batch tab as a visitor uses it."""

import zipfile

from PIL import Image
from playwright.sync_api import expect

SLOW = 60_000


def test_photos_go_in_and_one_zip_comes_out(open_page, striped_photo, tmp_path):
    other, broken = tmp_path / "other.jpg", tmp_path / "broken.jpg"
    Image.new("RGB", (64, 48), (90, 90, 200)).save(other)
    broken.write_bytes(b"no photo")
    page = open_page()
    page.get_by_role("tab", name="Batch").click()
    page.locator("#batch-photos input[type=file]").set_input_files([str(striped_photo), str(other), str(broken)])
    expect(page.locator("#batch-photos")).to_contain_text("broken")
    page.locator("#batch-run").click()
    table = page.locator("#batch-table")
    expect(table.locator("tbody tr")).to_have_count(3, timeout=SLOW)
    expect(table).to_contain_text("broken.jpg is not in a format")
    expect(page.locator("#batch-gallery img")).to_have_count(2)
    with page.expect_download() as caught:
        page.locator("#batch-zip").click()
    path = tmp_path / "all.zip"
    caught.value.save_as(path)
    with zipfile.ZipFile(path) as packed:
        assert {"areas.csv", "stripes_mask.png", "other_overlay.png"} <= set(packed.namelist())


def test_nothing_chosen_gets_a_sentence(open_page):
    page = open_page()
    page.get_by_role("tab", name="Batch").click()
    page.locator("#batch-run").click()
    expect(page.get_by_text("Choose some photos first")).to_be_visible(timeout=SLOW)
