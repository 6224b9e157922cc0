"""What stands in a reader's way on a page, as axe finds it; and what a page hides until it is asked for."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe


def hindrances(page: Any) -> str:
    """A report of what hinders a reader of the page that is shown, whatever they read it with; empty where nothing does."""
    found = Axe().run(page)
    return str(found.generate_report()) if found.violations_count else ""


def open_all_details(page: Any, *, most: int | None = None) -> None:
    """Open what is folded away on a page, the first few of it where many are."""
    for each in page.locator("details:not([open]) > summary").all()[:most]:
        if each.is_visible():
            each.click()
