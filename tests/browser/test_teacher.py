"""Links to a tab, lesson, network and example, and the larger type, as a teacher uses them."""

import re

import pytest
from playwright.sync_api import expect

SLOW = 60_000


def chosen(page, name):
    expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")


def test_a_link_opens_a_lesson(open_page):
    page = open_page(query="?tab=lessons&lesson=transposed-conv")
    chosen(page, "Lessons")
    chosen(page, "Transposed conv")
    expect(page.locator("#tc-sizes")).to_contain_text("= 5")


def test_a_link_opens_a_lesson_with_a_network(open_page):
    page = open_page(query="?lesson=size-trace&network=fcn32s_vgg16")
    expect(page.locator("#st-network input")).to_have_value("VGG-FCN-32s · pets and people")
    expect(page.locator("#st-table")).to_contain_text("26 layers")


def test_a_link_segments_an_example_with_a_network(open_page):
    page = open_page(query="?network=fcn32s_vgg16&example=lion")
    expect(page.locator("#facts")).to_contain_text("VGG-FCN-32s", timeout=SLOW)
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile(r"lion\.jpg$"))
    expect(page.locator("#overlay img")).to_have_attribute("src", re.compile("lion"), timeout=SLOW)


def test_a_link_opens_networks_to_compare(open_page, demo_url):
    query = "?tab=compare&network=fcn32s_vgg16%2Cunet_vgg16_bn&example=tower"
    page = open_page(query=query)
    chosen(page, "Compare")
    for title, is_chosen in {"VGG-FCN-32s": True, "U-Net": True, "VGG-FCN-8s": False}.items():
        expect(page.locator("#cmp-networks").get_by_label(f"{title} · pets and people", exact=True)).to_be_checked(
            checked=is_chosen
        )
    expect(page).to_have_url(demo_url + query)
    expect(page.locator("#cmp-table tbody")).to_have_text(re.compile("VGG-FCN-32s.*U-Net", re.DOTALL), timeout=SLOW)
    page.locator("#cmp-networks").get_by_label("VGG-FCN-8s · pets and people", exact=True).check()
    expect(page).to_have_url(re.compile("network=fcn32s_vgg16%2Cunet_vgg16_bn%2Cfcn8s_vgg16"))
    expect(page.locator("#cmp-table")).to_contain_text("VGG-FCN-8s", timeout=SLOW)


def test_what_a_link_names_in_vain_is_said(open_page):
    page = open_page(query="?tab=nonsense&network=<b>vgg99")
    expect(page.locator("#said")).to_contain_text(
        "There is no tab “nonsense” here. There is no network “<b>vgg99” here.", use_inner_text=True
    )
    chosen(page, "Segment")


def test_the_address_follows_and_opens_the_same_again(open_page, demo_url):
    page = open_page()
    assert page.url == demo_url
    page.locator("#examples .gallery-item").nth(4).click()
    expect(page).to_have_url(f"{demo_url}?example=tower")
    page.get_by_role("tab", name="Lessons").click()
    page.get_by_role("tab", name="Sizes").click()
    page.locator("#st-network input").click()
    page.get_by_role("option", name="VGG-FCN-16s · pets and people", exact=True).click()
    expect(page).to_have_url(f"{demo_url}?tab=lessons&lesson=size-trace&network=fcn16s_vgg16")
    page.reload()
    expect(page.locator("#st-network input")).to_have_value("VGG-FCN-16s · pets and people")
    page.get_by_role("tab", name="Segment").click()
    expect(page).to_have_url(demo_url)


def test_an_own_photo_is_not_in_the_address(open_page, demo_url, striped_photo):
    page = open_page(query="?example=tower")
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile("tower"))
    page.get_by_label("Remove Image").or_(page.get_by_label("Clear")).first.click()
    page.locator("#photo input[type=file]").set_input_files(str(striped_photo))
    expect(page.locator("#facts")).to_contain_text("photo 300×200", timeout=SLOW)
    expect(page).to_have_url(demo_url)


def test_the_link_is_copied(open_page, demo_url):
    page = open_page(query="?tab=about", permissions=["clipboard-read", "clipboard-write"])
    page.locator("#copy-link").click()
    expect(page.get_by_text("The link is copied.", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{demo_url}?tab=about"


def test_in_another_site_s_frame_the_link_is_the_page_s_own(open_page, demo_url):
    """As on huggingface.co, whose address does not follow the tabs, and where a frame may not use the clipboard."""
    outer = open_page(query="?tab=about").context.new_page()
    outer.set_content(f"<textarea></textarea><iframe src='{demo_url}' width=1200 height=600></iframe>")
    inner = outer.frame_locator("iframe")
    inner.get_by_role("tab", name="About", exact=True).click(timeout=SLOW)
    inner.locator("#copy-link").click()
    expect(inner.get_by_text("The link is copied.", exact=True)).to_be_visible()
    outer.locator("textarea").click()
    outer.keyboard.press("ControlOrMeta+V")
    assert outer.locator("textarea").input_value() == f"{demo_url}?tab=about"


def sizes(page):
    return [
        float(page.locator(f"#{name}").evaluate("part => parseFloat(getComputedStyle(part).fontSize)"))
        for name in ("facts p", "network input", "download-mask", "size input[type=number]")
    ]


def test_present_makes_type_larger_and_goes_again(open_page, demo_url):
    page = open_page()
    button, before = page.locator("#present"), sizes(page)
    expect(button).to_have_attribute("aria-pressed", "false")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(f"{demo_url}?present=1")
    assert all(large >= 1.2 * small for large, small in zip(sizes(page), before, strict=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert sizes(page) == before
    expect(page).to_have_url(demo_url)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_present_makes_pictures_larger_and_keeps_the_controls_on_the_screen(open_page, width, height):
    page = open_page(width, height)
    before = [picture_size(page, name) for name in ("overlay", "heatmap")]
    button = page.locator("#present")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    for name, small in zip(("overlay", "heatmap"), before, strict=True):
        assert picture_size(page, name) >= 1.15 * small
        assert page.locator(f"#{name}").get_by_label("Fullscreen").bounding_box()["width"] >= 16, "a button to hit"
    controls = ("network", "heat-class", "colormap", "size", "opacity", "refine", "best-quality", "examples")
    page.locator("#overlay img").click()
    expect(page.locator("#pixel meter")).to_have_count(4, timeout=SLOW)
    for name in ("photo", "overlay", "heatmap", "pixel", *controls):
        box = page.locator(f"#{name}").bounding_box()
        assert box["y"] >= 0, name
        assert box["y"] + box["height"] <= height, name
        assert box["x"] + box["width"] <= width, name
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert [picture_size(page, name) for name in ("overlay", "heatmap")] == before


def picture_size(page, name):
    """Give the width in pixels at which a picture is shown, without the empty part of its box."""
    return page.locator(f"#{name} img").evaluate(
        "image => { const box = image.getBoundingClientRect();"
        " return image.naturalWidth * Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight); }"
    )


def test_a_korean_browser_sees_korean(open_page):
    page = open_page(query="?lesson=transposed-conv", locale="ko-KR")
    for name in ("분할", "비교", "수업", "적응형 풀링"):
        expect(page.get_by_role("tab", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="손으로 해 보는 전치 합성곱")).to_be_visible()
    expect(page.get_by_label("스트라이드 s").first).to_be_visible()
    expect(page.get_by_text("지금까지의 출력")).to_be_visible()
    expect(page.locator("#present")).to_have_text("발표 모드")
    assert page.evaluate("document.documentElement.lang") == "ko"
    page.locator("#copy-link").click()
    expect(page.get_by_text("링크를 복사했습니다.", exact=True)).to_be_visible()
    assert "__i18n__" not in page.locator("body").inner_text()


def test_any_other_browser_sees_english(open_page):
    page = open_page(query="?lesson=adaptive-pooling", locale="de-DE")
    expect(page.get_by_role("tab", name="Adaptive pooling", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Adaptive pooling")).to_be_visible()
    assert "__i18n__" not in page.locator("body").inner_text()
