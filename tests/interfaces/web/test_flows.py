"""What people do on the pages, by role and label, in a real browser."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

import modelward
from modelward.interfaces.web import sessions

pytestmark = pytest.mark.browser
HOSTILE_BEGINNING = "<script>document.title='owned'</script>"


def test_a_token_signs_in_and_signing_out_ends_it(story: Any, look: Any):
    page = look(story).page
    page.goto("/models/fraud")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_label("Token", exact=True).fill(story.tokens["olu"])
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(re.compile("/models/fraud$"))
    expect(page.get_by_role("heading", name="fraud", level=1)).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/models/fraud")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_a_link_with_the_token_after_the_hash_signs_in_and_leaves_no_trace(story: Any, look: Any):
    seen = look(story)
    seen.page.goto(f"/sign-in#token={story.tokens['rita']}")

    expect(seen.page.get_by_role("heading", name="Overview")).to_be_visible()
    assert story.tokens["rita"] not in seen.page.url
    assert not any(story.tokens["rita"] in url for url in seen.asked)


def test_a_wrong_token_is_refused_in_words(story: Any, look: Any):
    page = look(story).page
    page.goto("/sign-in")
    page.get_by_label("Token", exact=True).fill("mw_wrong")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("This token opens nothing")
    expect(page.get_by_label("Token", exact=True)).to_have_attribute("aria-invalid", "true")


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(story: Any, look: Any):
    page = look(story, who="olu").page

    cookies = {each["name"]: each for each in page.context.cookies()}

    assert cookies[sessions.SESSION]["httpOnly"]
    assert cookies[sessions.SESSION]["sameSite"] == "Strict"
    assert page.evaluate("document.cookie") == ""


def test_a_form_without_its_token_is_refused_and_changes_nothing(story: Any, look: Any):
    page = look(story, who="owner").page
    page.goto("/people")
    page.evaluate("document.querySelectorAll('main [name=form_token]').forEach(each => each.value = 'forged')")
    page.get_by_label(re.compile("^Id")).fill("mallory")
    page.get_by_role("button", name="Give access").click()

    expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    page.goto("/people")
    expect(page.get_by_text("mallory")).to_have_count(0)


def test_hostile_text_stays_text(story: Any, look: Any):
    seen = look(story, who="owner")

    for path in ("/", "/models", "/models/hostile", "/versions/hostile@1", "/audit?subject=hostile"):
        seen.page.goto(path)
        assert seen.page.title() != "owned", path
        assert seen.page.locator("main script, main img[src=x]").count() == 0, path
    seen.page.goto("/models/hostile")
    expect(seen.page.get_by_text(HOSTILE_BEGINNING).first).to_be_visible()
    assert seen.complaints == []


def test_the_search_narrows_the_models_while_typing(story: Any, look: Any):
    page = look(story, who="olu").page
    page.get_by_label("Search").press_sequentially("credit")

    expect(page.get_by_role("link", name="churn", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="limits", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("text=credit"))


def test_the_story_leads_from_the_alert_to_the_evidence(story: Any, look: Any):
    page = look(story, who="rita").page
    page.get_by_role("link", name="An alert is open").click()
    expect(page.get_by_role("heading", name="Cause")).to_be_visible()
    page.get_by_role("link", name="See the distributions of the last failed run").click()
    expect(page.get_by_role("img", name=re.compile("^amount: mean"))).to_be_visible()
    page.goto("/")
    page.get_by_role("link", name="Approve or reject").click()
    # Another test may have edited the card of fraud@1, whose approval has lapsed then: its review is the one that waits.
    expect(page.get_by_role("button", name=re.compile(r"^Approve fraud@[12]$"))).to_be_enabled()
    page.goto("/")
    page.get_by_role("link", name="Check the evidence").click()
    expect(page.get_by_role("rowheader", name=re.compile("^An evaluation finished")).first).to_be_visible()
    page.get_by_role("button", name="Verify the chain now").click()
    expect(page.get_by_text("The log is whole.")).to_be_visible()


def test_who_registered_a_version_is_told_why_they_cannot_approve_it(story: Any, look: Any):
    with modelward.connect(story.url, token=story.tokens["owner"]) as owner:
        owner.models.register("own-work")
        owner.versions.register("own-work", artifact=b"mine")
        _wait_for_review(owner, "own-work@1")
        review = next(iter(owner.reviews.list(version="own-work@1")))["id"]
    page = look(story, who="owner").page
    page.goto(f"/reviews/{review}")

    expect(page.get_by_text("four eyes means two people")).to_be_visible()
    expect(page.get_by_role("button", name="Approve own-work@1")).to_be_disabled()


def test_a_rejection_needs_a_note_and_is_signed(story: Any, look: Any):
    page = look(story, who="rita").page
    page.goto(f"/reviews/{story.made['review of limits@1']}")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("alert")).to_contain_text("A rejection needs a note")

    page.get_by_label(re.compile("^Note")).fill("No evidence at all.")
    page.get_by_role("button", name="Reject").click()

    expect(page.get_by_role("status")).to_contain_text("Rejected.")
    expect(page.get_by_text("No evidence at all.").first).to_be_visible()
    page.goto("/versions/limits@1")
    expect(page.get_by_text("Rejected").first).to_be_visible()


def test_an_auditor_sees_a_review_and_has_no_form(story: Any, look: Any):
    page = look(story, who="olu").page
    page.goto(f"/reviews/{story.made['review of fraud@2']}")

    expect(page.get_by_text("Your persona may read this review")).to_be_visible()
    expect(page.get_by_role("button", name="Reject")).to_have_count(0)
    answer = page.goto("/people")
    assert answer.status == 403
    expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    expect(page.get_by_text("lacks the permission access.manage")).to_be_visible()


def test_a_card_is_edited_and_a_fault_is_told_at_its_field(story: Any, look: Any):
    page = look(story, who="ana").page
    page.goto(f"/cards/{story.made['card of fraud@2']}")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label(re.compile("^Line of business")).fill("x" * 3000)
    page.get_by_role("button", name="Save as a new version").click()
    field = page.get_by_label(re.compile("^Line of business"))
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("x" * 3000)

    field.fill("Cards & <b>payments</b>")
    page.get_by_label("What did you change, and why?").fill("Named the business line.")
    page.get_by_role("button", name="Save as a new version").click()

    expect(page.get_by_role("status")).to_contain_text("Saved as a new version")
    expect(page.get_by_text("Cards & <b>payments</b>")).to_be_visible()
    page.get_by_role("link", name="what changed").first.click()
    expect(page.locator("ins").first).to_contain_text("Cards & <b>payments</b>")


def test_two_who_edit_a_card_at_once_do_not_overwrite_each_other(story: Any, look: Any):
    card = story.made["card of fraud@2"]
    first, second = look(story, who="ana").page, look(story, who="rita").page
    for page, text in ((first, "First"), (second, "Second")):
        page.goto(f"/cards/{card}/edit")
        page.get_by_label(re.compile("^Business stakeholders")).fill(text)
    first.get_by_role("button", name="Save as a new version").click()
    expect(first.get_by_role("status")).to_be_visible()
    second.get_by_role("button", name="Save as a new version").click()

    expect(second.get_by_role("alert")).to_contain_text("you edited version")
    expect(second.get_by_label(re.compile("^Business stakeholders"))).to_have_value("Second")


def test_an_alert_is_taken_on_and_closed_with_a_reason(story: Any, look: Any):
    page = look(story, who="rita").page
    page.goto(f"/alerts/{story.made['alert']}")
    page.get_by_label("Note").fill("Looking at the German payments.")
    page.get_by_role("button", name="Acknowledge").click()

    expect(page.get_by_role("status")).to_contain_text("acknowledged in your name")
    expect(page.get_by_text("Looking at the German payments.").first).to_be_visible()
    expect(page.get_by_role("button", name="Close the alert")).to_be_visible()


def test_an_owner_adds_a_person_whose_token_is_shown_once(empty_house: Any, look: Any):
    page = look(empty_house, who="owner").page
    page.goto("/people")
    page.get_by_label(re.compile("^Id")).fill("sam")
    page.get_by_label("Name").fill("Sam Lie")
    page.get_by_label("Persona").select_option("auditor")
    page.get_by_role("button", name="Give access").click()
    page.get_by_label("What it is for").fill("laptop")
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator(".secret").inner_text()
    assert secret.startswith("mw_")

    page.goto("/people/sam")
    expect(page.get_by_text(secret)).to_have_count(0)
    empty_house.tokens["sam"] = secret
    other = look(empty_house, who="sam").page
    expect(other.get_by_text("Sam Lie")).to_be_visible()

    page.get_by_role("button", name=re.compile("Revoke the token laptop")).click()
    other.goto("/models")
    expect(other).to_have_url(re.compile("/sign-in"))


def test_an_empty_house_says_how_to_begin(empty_house: Any, look: Any):
    page = look(empty_house, who="owner").page

    expect(page.get_by_role("heading", name=re.compile("bring your own model in five lines"))).to_be_visible()


def test_the_keyboard_reaches_the_content_first(story: Any, look: Any):
    page = look(story, who="olu").page
    page.goto("/models")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"


def _wait_for_review(client: Any, version: str) -> None:
    import time

    for _ in range(200):
        if list(client.reviews.list(version=version)):
            return
        time.sleep(0.05)
    raise AssertionError("No review opened.")
