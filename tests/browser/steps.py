"""What several tests of the page do on it."""


def go(page, name):
    """Open a tab, which on a phone may be behind the three dots."""
    tab = page.get_by_role("tab", name=name, exact=True)
    if not tab.is_visible():
        menu = page.locator(".overflow-menu:visible", has_text=name)
        menu.locator("> button").click()
        tab = menu.locator(".overflow-dropdown button", has_text=name)
    tab.click()
