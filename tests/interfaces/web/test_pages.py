"""The pages in a real browser: every page for every law that all pages keep."""

from typing import Any

import pytest
from playwright.sync_api import expect

from support.hindrances import hindrances, open_all_details

pytestmark = pytest.mark.browser

PAGES = {
    "overview": "/",
    "filtered overview": "/?show=in-alert",
    "models": "/models",
    "model": "/models/fraud",
    "model without versions": "/models/churn",
    "hostile model": "/models/hostile",
    "version": "/versions/fraud@1",
    "hostile version": "/versions/hostile@1",
    "cards": "/cards",
    "card": "/cards/{card of fraud@1}",
    "difference of a card": "/cards/{card of fraud@1}?number=4&compare=1",
    "card form": "/cards/{card of fraud@2}/edit",
    "reviews": "/reviews",
    "open review": "/reviews/{review of fraud@2}",
    "decided review": "/reviews/{review of fraud@1}",
    "quality": "/evaluations/{quality of fraud@1}",
    "bias": "/evaluations/{bias of fraud@1}",
    "endpoints": "/endpoints",
    "endpoint": "/endpoints/fraud-live",
    "unwatched endpoint": "/endpoints/limits-live",
    "monitor": "/monitors/fraud-inputs",
    "run": "/runs/{last run}",
    "alerts": "/alerts",
    "alert": "/alerts/{alert}",
    "audit": "/audit?verify=true",
    "people": "/people",
    "person": "/people/ana",
    "about": "/about",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_hinders_a_reader_or_leaves_the_server_or_complains(story: Any, look: Any, scheme: str):
    seen = look(story, who="owner", color_scheme=scheme, viewport={"width": 1440, "height": 900})
    faults: dict[str, Any] = {}

    for name, path in PAGES.items():
        answer = seen.page.goto(path.format(**story.made))
        assert answer.status == 200, name
        _charts_are_drawn(seen.page, name)
        open_all_details(seen.page)
        if found := hindrances(seen.page):
            faults[name] = found

    assert faults == {}
    assert seen.complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_the_window(story: Any, look: Any, width: int):
    seen = look(story, who="owner", viewport={"width": width, "height": 844})
    too_wide = {}

    for name, path in PAGES.items():
        seen.page.goto(path.format(**story.made))
        wide = seen.page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            too_wide[name] = wide

    assert too_wide == {}


def test_the_small_screen_hinders_no_reader_either(story: Any, look: Any):
    seen = look(story, who="owner", viewport={"width": 390, "height": 844})
    faults = {}

    for name in ("overview", "model", "card", "open review", "run", "alert", "audit"):
        seen.page.goto(PAGES[name].format(**story.made))
        if found := hindrances(seen.page):
            faults[name] = found

    assert faults == {}


def test_the_door_and_the_errors_hinder_nobody(empty_house: Any, look: Any):
    seen = look(empty_house)
    seen.page.goto("/sign-in")
    assert hindrances(seen.page) == ""

    inside = look(empty_house, who="owner")
    for path in ("/", "/nothing-here", "/models/none", "/models", "/alerts", "/cards", "/reviews", "/endpoints"):
        inside.page.goto(path)
        assert hindrances(inside.page) == "", path


def test_pages_work_without_scripts(story: Any, look: Any):
    seen = look(story, java_script_enabled=False)
    page = seen.page
    page.goto("/sign-in")
    page.get_by_label("Token", exact=True).fill(story.tokens["olu"])
    page.get_by_role("button", name="Sign in").click()

    page.get_by_label("Search").fill("churn")
    page.get_by_role("button", name="Filter").click()
    assert page.get_by_role("link", name="churn").is_visible()
    assert page.get_by_role("link", name="fraud", exact=True).count() == 0

    page.goto("/monitors/fraud-inputs")
    page.get_by_text("The figures of this chart").click()
    assert page.get_by_role("columnheader", name="amount").is_visible()


def _charts_are_drawn(page: Any, name: str) -> None:
    for place in page.locator("[data-chart]").all():
        expect(place, name).to_have_attribute("data-drawn", "yes")
