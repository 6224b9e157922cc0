"""Key pairs on their page: made with the secret shown once, used, told when, and revoked."""

import re
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from playwright.sync_api import expect

from support.hindrances import hindrances

pytestmark = pytest.mark.browser


def client_with(served: Any, id: str, secret: str) -> Any:
    """A client of the AWS interface that signs with a key pair."""
    session = boto3.Session(aws_access_key_id=id, aws_secret_access_key=secret, region_name="us-east-1")
    return session.client("sts", endpoint_url=served.url, config=Config(retries={"total_max_attempts": 1}))


def test_a_person_makes_a_key_pair_uses_it_and_revokes_it(story: Any, look: Any):
    seen = look(story, who="olu")
    page = seen.page
    page.get_by_role("link", name="Key pairs").click()
    expect(page.get_by_role("heading", name="Your key pairs")).to_be_visible()
    expect(page.get_by_label("Whose")).to_have_count(0)
    page.get_by_label("What it is for").fill("notebook")
    page.get_by_label(re.compile("^Valid for days")).fill("30")
    page.get_by_role("button", name="Make a key pair").click()
    expect(page.get_by_role("status")).to_contain_text("The secret is shown this once")
    id, secret = (each.inner_text() for each in page.locator(".secret").all())

    page.goto("/keys")
    expect(page.get_by_text(secret)).to_have_count(0)
    row = page.get_by_role("row").filter(has_text=id)
    expect(row).to_contain_text("Never")
    assert client_with(story, id, secret).get_caller_identity()["UserId"] == "olu"
    for _ in range(20):
        # When a key was used is noted after the answer.
        page.reload()
        if "Never" not in row.inner_text():
            break
        page.wait_for_timeout(250)
    expect(row).not_to_contain_text("Never")
    assert hindrances(page) == ""

    page.get_by_role("button", name="Revoke the key pair notebook").click()
    expect(page.get_by_role("status")).to_contain_text("The key pair is revoked")
    expect(page.get_by_role("row").filter(has_text=id)).to_contain_text("Revoked")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        client_with(story, id, secret).get_caller_identity()
    assert seen.complaints == []


def test_who_manages_access_sees_everybody_s_pairs_and_makes_some_for_others(story: Any, look: Any):
    page = look(story, who="owner").page
    page.goto("/keys")
    page.get_by_label("Whose").select_option("rita")
    page.get_by_label("What it is for").fill("pipeline")
    page.get_by_role("button", name="Make a key pair").click()
    id, secret = (each.inner_text() for each in page.locator(".secret").all())

    assert client_with(story, id, secret).get_caller_identity()["UserId"] == "rita"
    row = page.get_by_role("row").filter(has_text=id)
    expect(row.get_by_role("link", name="Rita Olsen")).to_be_visible()
    expect(row).to_contain_text("made by")
    page.goto("/people/rita")
    page.get_by_role("link", name="Key pairs of Rita Olsen").click()
    expect(page.get_by_role("heading", name="Key pairs of Rita Olsen")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=id)).to_be_visible()


def test_a_person_sees_and_ends_nobody_else_s_pairs(story: Any, look: Any):
    owner = look(story, who="owner").page
    owner.goto("/keys")
    owner.get_by_label("What it is for").fill("the owner's own")
    owner.get_by_role("button", name="Make a key pair").click()
    id = owner.locator(".secret").first.inner_text()

    page = look(story, who="ana").page
    page.goto("/keys")
    expect(page.get_by_text("the owner's own")).to_have_count(0)
    page.goto("/keys?person=owner")
    expect(page.get_by_text(id)).to_have_count(0)
    page.goto("/keys")
    page.get_by_label("What it is for").fill("mine")
    page.get_by_role("button", name="Make a key pair").click()
    form = page.locator("form[action$='/revoke']").first
    form.evaluate(f"each => each.setAttribute('action', '/keys/{id}/revoke')")
    form.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Nothing is here")).to_be_visible()


def test_a_wrong_number_of_days_is_refused_with_what_was_typed(story: Any, look: Any):
    page = look(story, who="olu").page
    page.goto("/keys")
    page.get_by_label("What it is for").fill("too long")
    page.get_by_label(re.compile("^Valid for days")).evaluate("each => each.removeAttribute('max')")
    page.get_by_label(re.compile("^Valid for days")).fill("99999")
    page.get_by_role("button", name="Make a key pair").click()

    expect(page.get_by_role("alert")).to_contain_text("days_valid is 99999")
    expect(page.get_by_label("What it is for")).to_have_value("too long")


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_hinders_no_reader_at_any_width(story: Any, look: Any, width: int, scheme: str):
    seen = look(story, who="owner", color_scheme=scheme, viewport={"width": width, "height": 844})
    seen.page.goto("/keys")
    seen.page.get_by_label("What it is for").fill("looked at")
    seen.page.get_by_role("button", name="Make a key pair").click()

    assert hindrances(seen.page) == ""
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
