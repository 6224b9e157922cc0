"""The pages of model cards in a real browser: every page for every law that all pages keep."""

from typing import Any

import pytest
from playwright.sync_api import expect

from support import card_pages
from support.hindrances import hindrances, open_all_details

pytestmark = pytest.mark.browser

OF_A_CARD = {
    "card": "",
    "form": "/edit",
    "form of a new evaluation": "/evaluations/new",
    "status": "/status",
    "deletion": "/delete",
    "versions": "/versions",
    "difference": "/difference?before=1",
    "a past day": "/as-of",
    "evidence": "/evidence",
    "discussion": "/discussion",
    "attachments": "/attachments",
    "exports": "/exports",
    "controls": "/controls",
    "print view": "/print",
}
OTHERS = {
    "hub": "/cards?debt=1&sort=-debt",
    "empty hub": "/cards?text=nothing-bears-this-name",
    "new card": "/new-card",
    "for a version": "/new-card/version?version=fraud@1",
    "from nothing": "/new-card/empty",
    "clone": "/new-card/clone?source=pages-approved",
    "import": "/new-card/import",
    "since the approval": "/cards/pages-approved/since-approval",
    "form of an evaluation": "/cards/pages-approved/evaluations/0",
    "evidence of a version": "/cards/{card of fraud@1}/evidence",
    "picker": "/cards/{card of fraud@1}/evidence?path=$.training_details.training_job_details.training_metrics[0].value",
    "inbox": "/inbox",
    "webhooks": "/webhooks",
}


ALL = (card_pages.APPROVED, card_pages.HOSTILE, card_pages.EMPTY)


def addresses(served: Any, *names: str) -> dict[str, str]:
    """Every page of cards by its name, those about one card for each of some cards."""
    found = {f"{name} of {card}": f"/cards/{card}{path}" for card in names for name, path in OF_A_CARD.items()}
    return found | {name: path.format(**served.made) for name, path in OTHERS.items()}


@pytest.fixture
def cards(story: Any) -> Any:
    """The story with the cards for these tests."""
    card_pages.tell_cards(story)
    card_pages.say(story, card_pages.HOSTILE)
    return story


@pytest.mark.parametrize(("scheme", "card"), [("light", card_pages.HOSTILE), ("dark", card_pages.APPROVED)])
def test_no_page_of_a_card_hinders_a_reader_or_complains(cards: Any, look: Any, scheme: str, card: str):
    seen = look(cards, who="owner", color_scheme=scheme, viewport={"width": 1440, "height": 900})
    faults: dict[str, Any] = {}

    for name, path in addresses(cards, card).items():
        answer = seen.page.goto(path)
        assert answer.status == 200, name
        open_all_details(seen.page, most=12)
        if found := hindrances(seen.page):
            faults[name] = found

    assert faults == {}
    assert seen.complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_of_a_card_is_wider_than_the_window_nor_runs_hostile_text(cards: Any, look: Any, width: int):
    seen = look(cards, who="owner", viewport={"width": width, "height": 844})
    faults = {}

    for name, path in addresses(cards, *ALL).items():
        seen.page.goto(path)
        open_all_details(seen.page, most=12)
        wide = seen.page.evaluate("document.documentElement.scrollWidth")
        ran = seen.page.title() == "owned" or seen.page.locator("main script, main img[src=x]").count()
        if wide > width or ran:
            faults[name] = (wide, ran)

    assert faults == {}


def test_the_small_screen_hinders_no_reader_of_a_card_either(cards: Any, look: Any):
    seen = look(cards, who="rita", viewport={"width": 390, "height": 844})
    faults = {}

    for name in ("", "/edit", "/status", "/difference?before=1", "/evidence", "/discussion", "/controls"):
        seen.page.goto(f"/cards/{card_pages.APPROVED}{name}")
        if found := hindrances(seen.page):
            faults[name] = found

    assert faults == {}


def test_an_auditor_reads_everything_and_is_offered_no_change(cards: Any, look: Any):
    page = look(cards, who="olu").page

    for path in ("", "/versions", "/evidence", "/attachments", "/controls"):
        page.goto(f"/cards/{card_pages.APPROVED}{path}")
        assert page.locator("main form[method=post]").count() == 0, path
    for path in ("/edit", "/status", "/delete", "/evaluations/0"):
        assert page.goto(f"/cards/{card_pages.APPROVED}{path}").status == 403, path
    assert page.goto("/webhooks").status == 403


def test_a_card_can_be_edited_and_narrowed_without_scripts(cards: Any, look: Any):
    page = look(cards, java_script_enabled=False).page
    page.goto("/sign-in")
    page.get_by_label("Token", exact=True).fill(cards.tokens["ana"])
    page.get_by_role("button", name="Sign in").click()
    page.goto("/cards")
    page.get_by_label("Search").fill("not for transfers")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("link", name=card_pages.APPROVED)).to_be_visible()
    expect(page.get_by_role("link", name=card_pages.EMPTY)).to_have_count(0)

    page.goto(f"/cards/{card_pages.EMPTY}/edit")
    page.get_by_label("Purpose of model").fill("Kept while a row is added.")
    page.get_by_role("button", name="Add detail").click()
    details = page.get_by_role("group", name="Custom details")
    details.get_by_label("Name").fill("colour")
    details.get_by_label("Value").fill("green")
    expect(page.get_by_label("Purpose of model")).to_have_value("Kept while a row is added.")
    page.get_by_role("button", name="Save as a new version").click()

    expect(page.get_by_role("status")).to_contain_text("Saved as a new version")
    expect(page.get_by_text("green")).to_be_visible()
    expect(page.get_by_text("Kept while a row is added.")).to_be_visible()
