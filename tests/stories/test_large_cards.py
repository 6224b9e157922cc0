"""A card with ten thousand metrics and long hostile texts: saved, read, compared, shown, and written as every document."""

import io
import json
import re
from urllib.parse import urlencode

import pytest

from modelward.governance.cards.documents.entities import ExportFormat
from modelward.kernel.errors import Invalid
from support.houses import visitor_of

METRICS = 10_000
HOSTILE = "<script>document.title='owned'</script> #eval(\"x\") =HYPERLINK(1) \u202e {{7*7}} "


def content_of(count, *, shift=0.0):
    data = [
        {"name": f"metric {n}", "type": "number", "value": n / 7 + shift, "notes": "<script>"} for n in range(count)
    ]
    return {
        "intended_uses": {
            "purpose_of_model": (HOSTILE * 40)[:2048],
            "risk_rating": "Low",
            "explanations_for_risk_rating": "x",
        },
        "evaluation_details": [{"name": "many", "metric_groups": [{"name": "all", "metric_data": data}]}],
        "additional_information": {
            # A hundred thousand characters in all.
            "custom_details": {f"k{n}": (HOSTILE * 20)[:1000] for n in range(100)}
        },
    }


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    with visitor_of(tmp_path_factory.mktemp("large") / "data") as visitor:
        client = visitor.client()
        client.cards.create("large", content=content_of(METRICS))
        client.cards.edit("large", patch=content_of(METRICS, shift=1.0), note="All of them moved.")
        yield visitor


@pytest.fixture(scope="module")
def page(visitor):
    """Fetch a page as somebody who has signed in."""
    seen = visitor.ask("GET", "/sign-in", token="")
    form = dict(re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', seen.body.decode()))
    form["token"] = visitor.secret
    sent = {"cookie": seen.headers["set-cookie"].split(";")[0], "sec_fetch_site": "same-origin"}
    kind = "application/x-www-form-urlencoded"
    answer = visitor.ask("POST", "/sign-in", urlencode(form).encode(), token="", content_type=kind, **sent)
    cookie = answer.headers["set-cookie"].split(";")[0]
    return lambda path: visitor.ask("GET", path, token="", cookie=cookie)


def test_it_is_kept_word_for_word_and_compared(visitor):
    client = visitor.client()

    assert client.cards.version("large", 1).to_dict()["content"] == content_of(METRICS)
    changes = client.get("/cards/large/difference", before=1)
    assert len(changes) == METRICS


def test_a_small_edit_of_it_is_a_small_difference(visitor):
    client = visitor.client()
    before = client.cards.get("large").number

    client.cards.edit("large", patch={"business_details": {"line_of_business": "Retail"}})

    [change] = client.get("/cards/large/difference", before=before)
    assert change.path == "$.business_details"
    assert [each.name for each in client.cards.list(text="retail")] == ["large"]


@pytest.mark.parametrize("format", list(ExportFormat))
def test_it_is_written_as_every_document(visitor, format):
    client = visitor.client()

    done = client.cards.export("large", format.value)
    data = client.cards.read_export(done.id)

    assert (done.state, done.reason) == ("finished", "")
    if format is ExportFormat.PDF:
        pypdf = pytest.importorskip("pypdf", reason="needs pypdf")
        pages = pypdf.PdfReader(io.BytesIO(data)).pages
        assert any("metric 9999" in each.extract_text() for each in pages[-40:])
    else:
        assert b"metric 9999" in data
    if format is ExportFormat.HTML:
        assert b"<script" not in data


@pytest.mark.parametrize(
    "path",
    ["", "/edit", "/evaluations/0", "/difference?before=1&after=2", "/measures?start=9600", "/print", "/versions", "/evidence"],
)  # fmt: skip
def test_its_pages_stay_usable(page, path):
    answer = page(f"/cards/large{path}")

    assert answer.status == 200
    assert b"<script>document" not in answer.body
    assert len(answer.body) < (1_000_000 if path == "/print" else 600_000)


def test_the_page_says_how_many_measures_there_are_and_leads_to_each(page):
    told = page("/cards/large?number=2").body.decode()
    (link,) = re.findall(r'href="(/cards/large/measures[^"]*)">All 10,000 measures', told)

    seen, address, names = 0, link.replace("&amp;", "&"), set()
    while address:
        listed = page(address).body.decode()
        names |= set(re.findall(r"[Mm]etric (\d+)<", listed))
        after = re.search(r'href="([^"]*)">Those after', listed)
        address, seen = (after.group(1).replace("&amp;", "&") if after else ""), seen + 1
    assert (len(names), seen) == (METRICS, METRICS / 500)


def test_a_group_that_is_not_there_is_not_found(page):
    assert page("/cards/large/measures?group=9").status == 404


def test_a_setting_says_how_long_a_card_may_be(tmp_path):
    with visitor_of(tmp_path, card_characters_max=100_000) as visitor:
        client = visitor.client()
        client.cards.create("small", content=content_of(10) | {"additional_information": {}})
        with pytest.raises(Invalid, match="at most 100000 are kept"):
            client.cards.edit("small", patch=content_of(2000))
        assert client.cards.get("small").number == 1


def test_an_aws_client_reads_a_card_that_it_could_not_have_made(tmp_path):
    boto3 = pytest.importorskip("boto3", reason="needs boto3")
    from support.aws import aws_house

    with aws_house(tmp_path / "house") as house:
        assert boto3
        house.native.cards.create("large", content=content_of(METRICS))
        client = house.client("sagemaker")

        told = client.describe_model_card(ModelCardName="large")

        assert json.loads(told["Content"])["evaluation_details"][0]["metric_groups"][0]["metric_data"][9999][
            "name"
        ] == ("metric 9999")
        with pytest.raises(client.exceptions.ClientError, match="less than or equal to 100000"):
            client.update_model_card(ModelCardName="large", Content=told["Content"])
        house.native.cards.edit("large", patch={"business_details": {"business_problem": "x"}})
        client.update_model_card(ModelCardName="large", ModelCardStatus="PendingReview")
