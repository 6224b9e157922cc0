"""Stale evidence, unread notices, control packs of one's own, editing without a mouse, and printing, in a real browser."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

import modelward
from interfaces.web.conftest import serve
from support import card_pages
from support.hindrances import hindrances

pytestmark = pytest.mark.browser
FACTORS = "$.intended_uses.factors_affecting_model_efficiency"
PACK = """\
title = "Our rules"
source = "Handbook, chapter 4"

[[control]]
id = "owner"
clause = "4.1"
title = "Somebody answers"
text = "Say who answers for the model."
fields = ["$.model_overview.model_owner"]
"""


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A house with some people and cards, for these tests alone."""
    for served in serve(tmp_path_factory.mktemp("governing")):
        with asking(served, "owner") as owner:
            for id, persona in (("ana", "data-scientist"), ("rita", "risk-manager"), ("olu", "auditor")):
                owner.people.add(id, name=id.capitalize(), persona=persona)
                served.tokens[id] = owner.people.make_token(id, label="test")["secret"]
        card_pages.tell_cards(served)
        yield served


@contextmanager
def asking(served: Any, who: str) -> Iterator[Any]:
    """The client of somebody."""
    with modelward.connect(served.url, token=served.tokens[who]) as client:
        yield client


def a_table(wrong_each: int) -> bytes:
    label = [1 if each % 3 else 0 for each in range(300)]
    told = [1 - value if each % wrong_each == 0 else value for each, value in enumerate(label)]
    sink = io.BytesIO()
    pq.write_table(pa.table({"label": label, "told": told}), sink)
    return sink.getvalue()


def evaluated(client: Any, version: str, **limits: Any) -> str:
    """A finished quality evaluation, always on the same table."""
    asked = client.evaluations.request(
        version, "quality", a_table(10), problem_type="binary", label="label", prediction="told", **limits
    )
    client.evaluations.wait(asked["id"])
    client.settle()
    return str(asked["id"])


@pytest.fixture
def stale(cards: Any) -> str:
    """A card with a field whose evidence is superseded."""
    name = f"stale-{len(cards.made)}"
    cards.made[name] = name
    with asking(cards, "ana") as ana:
        ana.models.register(name)
        ana.versions.register(name, artifact=name.encode())
        ana.settle()
        card = str(next(iter(ana.cards.list(model=name)))["name"])
        ana.cards.bind(card, FACTORS, evaluated(ana, f"{name}@1"), measure="accuracy")
        evaluated(ana, f"{name}@1", limits={"accuracy": {"at_least": 0.5}})
    return card


def test_a_field_on_superseded_evidence_shows_why_and_is_refreshed(cards: Any, look: Any, stale: str):
    seen = look(cards, who="ana")
    page = seen.page
    page.goto(f"/cards/{stale}")
    uses = page.get_by_role("region", name="Intended use and risk")
    expect(uses.get_by_text("Stale")).to_be_visible()
    expect(uses.get_by_text(re.compile("Superseded by the quality evaluation"))).to_be_visible()
    assert hindrances(page) == ""

    uses.get_by_role("link", name=re.compile("^Refresh what rests on")).click()
    expect(page.get_by_role("heading", name="Bound fields")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Refresh .*Factors")).click()
    expect(page.get_by_role("status")).to_contain_text("hold the newest evidence now")

    page.goto(f"/cards/{stale}")
    expect(uses.get_by_text("From evidence")).to_be_visible()
    expect(uses.get_by_text("Stale")).to_have_count(0)
    assert seen.complaints == []


def test_who_may_not_write_sees_that_a_field_is_stale_and_is_offered_no_refresh(cards: Any, look: Any, stale: str):
    page = look(cards, who="olu").page
    page.goto(f"/cards/{stale}")

    expect(page.get_by_text(re.compile("Superseded by the quality evaluation")).first).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Refresh"))).to_have_count(0)


def test_the_way_to_the_inbox_counts_what_is_unread_until_it_is_read(cards: Any, look: Any):
    with asking(cards, "owner") as owner:
        owner.people.add("una", name="Una", persona="data-scientist")
        cards.tokens["una"] = owner.people.make_token("una", label="test")["secret"]
        for number in (1, 2):
            owner.cards.comments.write(card_pages.EMPTY, f"Note {number} for @una.")
    seen = look(cards, who="una")
    page = seen.page
    inbox = page.get_by_role("navigation", name="Main").get_by_role("link", name="Inbox")

    page.goto("/models")
    expect(inbox).to_have_accessible_name("Inbox 2 unread")
    assert hindrances(page) == ""
    inbox.click()
    page.get_by_role("button", name=re.compile("^Open the notice of owner")).first.click()
    expect(inbox).to_have_accessible_name("Inbox 1 unread")
    page.goto("/inbox")
    page.get_by_role("listitem").filter(has_text="New").get_by_role("button").click()

    expect(inbox).to_have_accessible_name("Inbox")
    assert seen.complaints == []


def test_a_pack_of_ones_own_is_written_answered_by_a_card_and_retired(cards: Any, look: Any):
    seen = look(cards, who="rita")
    page = seen.page
    page.goto("/cards")
    page.get_by_role("link", name="Packs and template").click()
    expect(page.get_by_role("rowheader", name="EU AI Act, Annex IV")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^Template in force"))).to_be_visible()

    page.get_by_label("Name").fill("house-rules")
    page.get_by_label("Pack, as TOML or JSON").fill(PACK.replace("model_owner", "model_ownr"))
    page.get_by_role("button", name="Keep the pack").click()
    expect(page.get_by_role("alert")).to_contain_text("A card has no field '$.model_overview.model_ownr'")
    expect(page.get_by_label("Name")).to_have_value("house-rules")
    page.get_by_label("Pack, as TOML or JSON").fill(PACK)
    page.get_by_label("Why").fill("First.")
    page.get_by_role("button", name="Keep the pack").click()
    expect(page.get_by_role("status")).to_contain_text("kept as a new version")
    expect(page.get_by_role("heading", name="Somebody answers")).to_be_visible()

    page.goto(f"/cards/{card_pages.APPROVED}/controls?pack=house-rules")
    expect(page.get_by_role("region", name="Controls").get_by_text("Covered", exact=True)).to_be_visible()
    page.goto("/card-packs/house-rules")
    page.get_by_label("Why it is retired").fill("Replaced.")
    page.get_by_role("button", name="Retire the pack").click()
    expect(page.get_by_role("status")).to_contain_text("The pack is retired.")
    page.goto(f"/cards/{card_pages.APPROVED}/controls")
    expect(page.get_by_label("Pack of controls")).not_to_contain_text("Our rules")
    # The browser itself tells of the one refusal.
    assert [each for each in seen.complaints if "400 (Bad Request)" not in each] == []


def test_a_pack_that_comes_with_modelward_offers_no_change_and_an_auditor_writes_none(cards: Any, look: Any):
    rita, olu = look(cards, who="rita").page, look(cards, who="olu").page

    rita.goto("/card-packs/nist-ai-rmf")
    olu.goto("/card-packs")

    assert rita.locator("main form[method=post]").count() == 0
    assert olu.locator("main form[method=post]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_of_packs_hinder_no_reader_and_fit_the_window(cards: Any, look: Any, scheme: str, width: int):
    seen = look(cards, who="rita", color_scheme=scheme, viewport={"width": width, "height": 900})

    for path in ("/card-packs", "/card-packs/eu-ai-act-annex-iv", "/cards"):
        seen.page.goto(path)
        assert hindrances(seen.page) == ""
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert seen.complaints == []


def test_a_section_is_edited_with_the_keyboard_alone(cards: Any, look: Any):
    name = "keys-only"
    with asking(cards, "ana") as ana:
        ana.cards.create(name)
    page = look(cards, who="ana").page
    page.goto(f"/cards/{name}")
    _press_until(page, "Tab", lambda told: told["text"] == "Edit")
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit")
    _press_until(page, "Tab", lambda told: told["name"].endswith("purpose_of_model"))
    page.keyboard.type("Typed.")
    _press_until(page, "Tab", lambda told: told["name"].endswith("risk_rating"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    chosen = _focused(page)["value"]
    _press_until(page, "Tab", lambda told: told["name"] == "note")
    page.keyboard.type("By keys.")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Saved as a new version")
    with asking(cards, "ana") as ana:
        told = ana.cards.get(name)["content"]["intended_uses"]
    assert (told["purpose_of_model"], told["risk_rating"]) == ("Typed.", chosen)
    assert chosen in ("High", "Medium", "Low")


def _focused(page: Any) -> dict[str, str]:
    found: dict[str, str] = page.evaluate(
        "() => { const e = document.activeElement; const s = getComputedStyle(e);"
        " return {text: e.innerText ? e.innerText.trim() : '', name: e.name || '', value: e.value || '',"
        " seen: s.outlineStyle !== 'none' || s.boxShadow !== 'none' ? 'yes' : ''} }"
    )
    return found


def _press_until(page: Any, key: str, there: Any, *, most: int = 250) -> None:
    for _ in range(most):
        page.keyboard.press(key)
        told = _focused(page)
        if there(told):
            assert told["seen"], f"The focus on {told} cannot be seen."
            return
    raise AssertionError("The keyboard does not lead there.")


def test_the_print_view_shows_the_card_and_nothing_to_press(cards: Any, look: Any):
    page = look(cards, who="rita").page
    page.goto(f"/cards/{card_pages.APPROVED}/print")
    page.emulate_media(media="print")

    expect(page.get_by_role("heading", name=card_pages.APPROVED).first).to_be_visible()
    expect(page.get_by_text("Find payments that a person should look at.")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    assert [each for each in page.get_by_role("button").all() if each.is_visible()] == []
    wide = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        ".map(e => e.tagName + '.' + e.className)"
    )
    assert wide == []
    assert page.pdf().startswith(b"%PDF")
