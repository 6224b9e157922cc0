"""What people do with model cards on the pages, by role and label, in a real browser."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

import modelward
from support import card_pages

pytestmark = pytest.mark.browser
SAVE = "Save as a new version"


@pytest.fixture
def cards(story: Any) -> Any:
    """The story with the cards for these tests."""
    card_pages.tell_cards(story)
    return story


def make(served: Any, name: str, content: dict[str, Any] | None = None, **about: Any) -> str:
    """A card of one test."""
    with modelward.connect(served.url, token=served.tokens["ana"]) as ana:
        ana.cards.create(name, content=content, **about)
    return name


def test_the_hub_is_narrowed_while_typing_by_what_a_card_says_and_by_its_debt(cards: Any, look: Any):
    page = look(cards, who="olu").page
    page.goto("/cards")
    page.get_by_label("Search").press_sequentially("not for transf")
    expect(page.get_by_role("link", name=card_pages.EMPTY)).to_have_count(0)
    expect(page.get_by_role("link", name=card_pages.APPROVED)).to_be_visible()

    page.get_by_label("Search").fill("")
    page.get_by_label("Owner").fill("ana")
    page.get_by_label("Order").select_option("-debt")
    expect(page).to_have_url(re.compile("sort=-debt"))
    expect(page.get_by_role("rowheader").first).to_contain_text(card_pages.EMPTY)
    expect(page.get_by_role("link", name=re.compile("missing")).first).to_be_visible()


def test_a_fault_is_told_beside_the_field_while_typing_and_goes_away(cards: Any, look: Any):
    seen = look(cards, who="ana")
    page = seen.page
    page.goto(f"/cards/{make(cards, 'flow-typing')}/edit")
    field = page.get_by_label("Line of business")
    field.fill("x" * 2049)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("2049 characters; at most 2048 are kept.")

    field.fill("Cards")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    number = page.get_by_label("Model version")
    number.press_sequentially("two")
    expect(number).to_have_accessible_description("Write a number.")
    assert seen.complaints == []


def test_rows_come_and_go_by_keyboard_and_nothing_typed_is_lost(cards: Any, look: Any):
    page = look(cards, who="ana").page
    page.goto(f"/cards/{make(cards, 'flow-rows')}/edit")
    page.get_by_label("Purpose of model").fill("Stays.")
    added = page.get_by_role("group", name=re.compile("^Training metrics added by hand"))
    for name, value in (("auc", "0.9"), ("loss", "0.2"), ("f1", "0.7")):
        added.get_by_role("button", name="Add metric").focus()
        page.keyboard.press("Enter")
        expect(added.get_by_label("Name").last).to_be_focused()
        page.keyboard.type(name)
        added.get_by_label("Value").last.fill(value)
        expect(added.get_by_label("Value").last).to_have_value(value)
    added.get_by_role("button", name="Remove metric 2").focus()
    page.keyboard.press("Enter")
    expect(added.get_by_label("Name")).to_have_count(2)
    expect(added.get_by_role("button", name="Add metric")).to_be_focused()
    expect(page.get_by_label("Purpose of model")).to_have_value("Stays.")
    page.get_by_label("What did you change, and why?").fill("Metrics.")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Saved as a new version")
    with modelward.connect(cards.url, token=cards.tokens["ana"]) as ana:
        details = ana.cards.get("flow-rows")["content"]["training_details"]["training_job_details"]
    told = [(each["name"], each["value"]) for each in details["user_provided_training_metrics"]]
    assert told == [("auc", 0.9), ("f1", 0.7)]


def test_leaving_with_unsaved_changes_is_asked_about(cards: Any, look: Any):
    page = look(cards, who="ana").page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(f"/cards/{make(cards, 'flow-unsaved')}/edit")
    page.get_by_role("link", name="Inbox").click()
    assert asked == []

    page.goto("/cards/flow-unsaved/edit")
    page.get_by_label("Model owner").press_sequentially("ana")
    expect(page.get_by_text("You have unsaved changes.")).to_be_visible()
    page.get_by_role("link", name="Inbox").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    assert asked == ["beforeunload"]


def test_two_who_edit_at_once_can_both_keep_their_work(cards: Any, look: Any):
    make(cards, "flow-both")
    first, second = look(cards, who="ana").page, look(cards, who="rita").page
    for page in (first, second):
        page.goto("/cards/flow-both/edit")
    first.get_by_label("Business problem").fill("By ana.")
    first.get_by_role("button", name=SAVE).click()
    expect(first.get_by_role("status")).to_be_visible()
    second.get_by_label("Caveats and recommendations").fill("By rita.")
    second.get_by_role("button", name=SAVE).click()
    expect(second.get_by_role("alert")).to_contain_text("You changed different fields")
    second.get_by_role("button", name="Save both").click()

    expect(second.get_by_role("status")).to_contain_text("Saved")
    expect(second.get_by_text("By ana.")).to_be_visible()
    expect(second.get_by_text("By rita.")).to_be_visible()


def test_a_training_metric_is_bound_to_evidence_and_let_go_again(cards: Any, look: Any):
    page = look(cards, who="ana").page
    card = cards.made["card of fraud@1"]
    page.goto(f"/cards/{card}/edit")
    page.get_by_role("link", name="Bind to evidence").first.click()
    page.get_by_label("Kind").select_option("quality")
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("What it says").first.select_option("auc")
    page.get_by_role("button", name=re.compile("^Bind to")).first.click()
    expect(page.get_by_role("status")).to_contain_text("bound to evidence")
    page.goto(f"/cards/{card}/edit")
    training = page.get_by_role("group", name=re.compile(r"^Training metrics \d"))
    expect(training.get_by_text("From evidence")).to_be_visible()
    expect(training.get_by_label("Value")).to_have_count(1)

    page.goto(f"/cards/{card}/evidence")
    page.get_by_role("button", name=re.compile("^Unbind Training")).click()
    expect(page.get_by_role("status")).to_contain_text("let go")


def test_a_status_is_signed_and_what_is_missing_is_linked(cards: Any, look: Any):
    make(cards, "flow-sign")
    page = look(cards, who="rita").page
    page.goto("/cards/flow-sign/status")
    sign = page.get_by_role("button", name="Sign: pending review")
    sign.click()
    expect(page.get_by_role("alert")).to_contain_text("Confirm that you mean")
    page.get_by_label(re.compile("I, Rita Olsen, sign")).first.check()
    sign.click()
    expect(page.get_by_role("alert")).to_contain_text("purpose")
    page.get_by_role("link", name="Purpose of model").first.click()
    page.get_by_label("Purpose of model").fill("To test.")
    page.get_by_label("High").check()
    page.get_by_label("Explanation of the risk rating").fill("For the test.")
    page.get_by_role("button", name=SAVE).click()
    page.get_by_role("link", name="Move to another status").click()
    expect(page.get_by_text("sha256:").first).to_be_visible()
    page.get_by_label(re.compile("I, Rita Olsen, sign")).first.check()
    page.get_by_role("button", name="Sign: pending review").click()

    expect(page.get_by_role("status")).to_contain_text("status of the card is changed")
    expect(page.get_by_text("Pending review").first).to_be_visible()


def test_who_signs_an_outdated_version_is_stopped(cards: Any, look: Any):
    make(cards, "flow-outdated")
    page = look(cards, who="ana").page
    page.goto("/cards/flow-outdated/status")
    with modelward.connect(cards.url, token=cards.tokens["ana"]) as ana:
        ana.cards.edit("flow-outdated", patch={"business_details": {"line_of_business": "x"}})
    page.get_by_text("Archived", exact=True).click()
    page.get_by_label(re.compile("no longer in use")).check()
    page.get_by_role("button", name="Sign: archived").click()

    expect(page.get_by_role("alert")).to_contain_text("has version 2 by now")


def test_a_comment_reaches_an_inbox_and_its_thread_is_resolved(cards: Any, look: Any):
    make(cards, "flow-talk")
    rita, ana = look(cards, who="rita").page, look(cards, who="ana").page
    rita.goto("/cards/flow-talk/discussion")
    rita.get_by_label("About").select_option("business_details")
    rita.get_by_label("Comment", exact=True).fill("Is this <b>still</b> true, @ana?")
    rita.get_by_role("button", name="Write the comment").click()
    ana.goto("/inbox")
    ana.get_by_role("button", name=re.compile("rita about flow-talk")).first.click()
    expect(ana.get_by_text("Is this <b>still</b> true, @ana?")).to_be_visible()
    ana.get_by_text("Answer", exact=True).click()
    ana.get_by_label("Answer to rita on Business").fill("It is.")
    ana.get_by_role("button", name="Send the answer").click()
    expect(ana.get_by_text("It is.")).to_be_visible()
    ana.get_by_role("button", name=re.compile("^Resolve")).click()

    expect(ana.get_by_role("status")).to_contain_text("resolved")
    expect(ana.get_by_text("No open thread.")).to_be_visible()


def test_a_request_to_look_is_answered(cards: Any, look: Any):
    make(cards, "flow-ask")
    ana, rita = look(cards, who="ana").page, look(cards, who="rita").page
    ana.goto("/cards/flow-ask/discussion")
    ana.get_by_label("Who (id)").fill("nobody-here")
    ana.get_by_role("button", name="Send the request").click()
    expect(ana.get_by_role("alert")).to_contain_text("nobody-here")
    ana.get_by_label("Who (id)").fill("rita")
    ana.get_by_role("button", name="Send the request").click()
    rita.goto("/cards/flow-ask")
    rita.get_by_role("link", name="Answer").click()
    rita.get_by_label("Your answer").fill("Looks right.")
    rita.get_by_role("button", name="I have looked").click()

    expect(rita.get_by_text("Looks right.")).to_be_visible()


def test_a_file_is_attached_downloaded_and_taken_off(cards: Any, look: Any):
    make(cards, "flow-files")
    page = look(cards, who="ana").page
    page.goto("/cards/flow-files/attachments")
    content = b"%PDF-1.7 \r\n--boundary\r\n" + bytes(range(256)) * 50
    page.get_by_label("File", exact=True).set_input_files(
        [{"name": "minutes ü.pdf", "mimeType": "application/pdf", "buffer": content}]
    )
    page.get_by_role("button", name="Attach").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="minutes ü.pdf").click()
    assert download.value.path().read_bytes() == content

    page.get_by_text("Take off", exact=True).first.click()
    page.get_by_role("button", name=re.compile("^Take minutes")).click()
    expect(page.get_by_text("No file is attached.")).to_be_visible()


def test_an_export_shows_its_progress_and_is_downloaded(cards: Any, look: Any):
    page = look(cards, who="ana").page
    page.goto(f"/cards/{card_pages.APPROVED}/exports")
    page.get_by_label("Format").select_option("json")
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("link", name="Our own JSON").first.click(timeout=60_000)

    assert json.loads(download.value.path().read_bytes())


@pytest.mark.parametrize("way", ["version", "empty", "clone", "import"])
def test_a_card_begins_in_four_ways(cards: Any, look: Any, way: str):
    page = look(cards, who="ana").page
    page.goto("/cards")
    page.get_by_role("link", name="New card").click()
    titles = {"version": "For a registered", "empty": "From nothing", "clone": "As a clone", "import": "From a file"}
    page.get_by_role("link", name=titles[way]).click()
    if way == "version":
        with modelward.connect(cards.url, token=cards.tokens["ana"]) as ana:
            ana.cards.change_status(cards.made.get("spare card", "limits-v1"), "archived", reason="To begin anew.")
        page.get_by_role("textbox", name="Version").fill("limits@1")
        expect(page.get_by_text("from registration of limits@1").first).to_be_visible()
    if way == "clone":
        page.get_by_label(re.compile("^Card to clone")).fill(card_pages.APPROVED)
    if way == "import":
        given = json.dumps({"business_details": {"line_of_business": "Imported"}}).encode()
        page.get_by_label(re.compile("^File")).set_input_files(
            [{"name": "card.json", "mimeType": "application/json", "buffer": given}]
        )
        page.get_by_label("Format").select_option("aws-json")
    page.get_by_label(re.compile("^Name of the")).fill(f"flow-new-{way}")
    page.get_by_role("button", name=re.compile("^(Create|Clone) the card")).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text(f"flow-new-{way}")


def test_what_changed_since_the_approval_is_told_in_words(cards: Any, look: Any):
    page = look(cards, who="olu").page
    page.goto(f"/cards/{card_pages.APPROVED}")
    page.get_by_role("link", name="What changed since").click()

    row = page.get_by_role("row", name=re.compile("Business problem"))
    expect(row.locator("del")).to_contain_text("0.08")
    expect(row.locator("ins")).to_contain_text("0.07")
    expect(page.get_by_text("Approved as version 1 by rita")).to_be_visible()


def test_a_control_is_stated_not_to_apply_with_a_reason(cards: Any, look: Any):
    make(cards, "flow-controls")
    page = look(cards, who="rita").page
    page.goto("/cards/flow-controls/controls?pack=nist-ai-rmf")
    page.get_by_text("Say that it does not apply").first.click()
    page.get_by_label("Reason").first.fill("No such use.")
    page.get_by_role("button", name=re.compile("^Keep the statement")).first.click()

    expect(page.get_by_role("status")).to_contain_text("statement is kept")
    expect(page.get_by_text(re.compile("No such use")).first).to_be_visible()


def test_a_draft_is_deleted_only_by_its_name(cards: Any, look: Any):
    make(cards, "flow-gone")
    page = look(cards, who="ana").page
    page.goto("/cards/flow-gone")
    page.get_by_role("link", name="Delete this draft").click()
    page.get_by_label(re.compile("^Name of the card")).fill("another")
    page.get_by_role("button", name="Delete the draft").click()
    expect(page.get_by_role("alert")).to_contain_text("Write the name of the card")
    page.get_by_label(re.compile("^Name of the card")).fill("flow-gone")
    page.get_by_role("button", name="Delete the draft").click()

    expect(page.get_by_role("status")).to_contain_text("deleted")
    assert page.goto("/cards/flow-gone").status == 404


def test_an_owner_adds_a_webhook_whose_secret_is_shown_once(cards: Any, look: Any):
    page = look(cards, who="owner").page
    page.goto("/webhooks")
    page.get_by_role("textbox", name="Name").fill("flow-hook")
    page.get_by_label("Address").fill("https://hooks.example.org/in")
    page.get_by_label(re.compile("CardEdited ")).check()
    page.get_by_role("button", name="Add the webhook").click()
    secret = page.locator(".secret").inner_text()
    assert len(secret) > 20

    page.goto("/webhooks/flow-hook")
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Disabled").first).to_be_visible()


def test_a_control_leads_to_the_field_that_answers_it(cards: Any, look: Any):
    make(cards, "flow-answer")
    page = look(cards, who="ana").page
    page.goto("/cards/flow-answer/controls?pack=eu-ai-act-annex-iv")
    page.get_by_role("link", name=re.compile("Human oversight")).first.click()
    details = page.get_by_role("group", name=re.compile("^Custom details"))
    expect(details.get_by_label("Name")).to_have_value("human_oversight")
    details.get_by_label("Value").fill("An analyst can release any payment.")
    page.get_by_role("button", name=SAVE).click()
    page.goto("/cards/flow-answer/controls?pack=eu-ai-act-annex-iv&state=covered")

    expect(page.get_by_role("heading", name=re.compile("Human oversight"))).to_be_visible()
