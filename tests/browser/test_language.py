"""The page in two languages, and the switch between them."""

from playwright.sync_api import expect

SLOW = 60_000


def label_of(page, name):
    return page.locator(f"#{name} [data-testid='block-info']").first


def test_the_switch_changes_the_texts_and_keeps_photo_results_and_choices(open_page):
    page = open_page(locale="en-GB")
    expect(label_of(page, "network")).to_have_text("Network")
    page.locator("#opacity input[type=range]").fill("0.2")
    overlay = page.locator("#overlay img")
    expect(overlay).not_to_have_attribute("src", overlay.get_attribute("src"), timeout=SLOW)
    before = [page.locator(f"#{name} img").get_attribute("src") for name in ("photo", "overlay")]
    page.locator("#language").click()
    expect(label_of(page, "network")).to_have_text("네트워크")
    assert [page.locator(f"#{name} img").get_attribute("src") for name in ("photo", "overlay")] == before
    assert page.locator("#opacity input[type=range]").input_value() == "0.2"
    assert page.evaluate("document.documentElement.lang") == "ko"
    assert "lang=ko" in page.url
    page.locator("#language").click()
    expect(label_of(page, "network")).to_have_text("Network")
    assert "lang" not in page.url


def test_a_link_names_the_language(open_page, demo_url):
    page = open_page(query="?lang=ko", locale="en-GB")
    expect(label_of(page, "network")).to_have_text("네트워크", timeout=SLOW)
    expect(page.get_by_role("tab", name="분할", exact=True)).to_be_visible()
    expect(page.locator("#knows")).to_contain_text("배경", use_inner_text=True)
    assert "anything else" not in page.locator("#knows").inner_text()
    assert page.evaluate("document.documentElement.lang") == "ko"
    page.get_by_role("tab", name="비교", exact=True).click()
    expect(page).to_have_url(f"{demo_url}?tab=compare&lang=ko")
    page.reload()
    expect(page.get_by_role("tab", name="비교", exact=True)).to_be_visible(timeout=SLOW)
