"""The photo field's camera: the system's own where the browser lends none, or the hand is a finger."""

import pytest
from playwright.sync_api import expect

NO_CAMERA = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"  # as over plain http
PHONE = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True}
NOTE = "browsers refuse a live camera"


@pytest.mark.parametrize("options", [{"script": NO_CAMERA}, PHONE])
def test_the_system_takes_the_photo(open_page, striped_photo, options):
    page = open_page(query="?lesson=teach", **options)
    note = page.locator(".block.camera-note:visible", has_text=NOTE)
    expect(note).to_have_count(int("script" in options))
    with page.expect_file_chooser() as asked:
        page.locator("#teach-photo").get_by_label("Capture from camera").click()
    assert asked.value.element.get_attribute("capture") == "environment"
    assert asked.value.element.get_attribute("accept") == "image/*"
    asked.value.set_files(str(striped_photo))
    expect(page.locator("#teach-photos label")).to_have_count(2, timeout=60_000)


def test_where_there_is_a_live_camera_nothing_is_said(open_page):
    page = open_page()
    expect(page.locator(".camera-note:visible")).to_have_count(0)
