"""What several tests of the page do on it."""


def go(page, name):
    """Open a tab, which on a phone may be behind the three dots."""
    tab = page.get_by_role("tab", name=name, exact=True)
    if not tab.is_visible():
        menu = page.locator(".overflow-menu:visible", has_text=name)
        menu.locator("> button").click()
        tab = menu.locator(".overflow-dropdown button", has_text=name)
    tab.click()


def choose_photo(page, prefix, path):
    """Put a photo of one's own in the place of that in a field."""
    photo = page.locator(f"#{prefix}-photo")
    photo.get_by_label("Remove Image").or_(photo.get_by_label("Clear")).first.click()
    page.locator(f"#{prefix}-photo input[type=file]").set_input_files(str(path))
