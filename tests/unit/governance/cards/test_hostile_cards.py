"""Hostile text in cards and around them, over the API: kept as text word for word or refused clearly; nothing is corrupted."""

import json

import msgspec
import pytest

from support.houses import visitor_of

TEXTS = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "right to left": "\u202egnp.exe\u202c \u2066x\u2069",
    "formula": "=HYPERLINK(\"http://x\")",
    "formulas": "+1 -1 @SUM(A1) \t=1 \r=1",
    "quotes": "'; DROP TABLE card; -- \" \\",
    "template": "{{7*7}} ${7*7} <%= 7 %>",
    "line ends": "a\r\nb\u2028c\u2029d\u0085e",
    "joined": "👩‍👩‍👧‍👦 e\u0301 \ufeff \u200b",
    "long": "x" * 1024,
}  # fmt: skip


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    with visitor_of(tmp_path_factory.mktemp("hostile-cards") / "data") as visitor:
        yield visitor


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_is_kept_word_for_word_in_a_card_its_notes_and_its_comments(visitor, name):
    text, card = TEXTS[name], f"hostile-{name.replace(' ', '-')}"
    content = {
        "model_overview": {"model_description": text},
        "additional_information": {"custom_details": {text[:200]: text}},
        "evaluation_details": [{"name": text[:60], "evaluation_observation": text, "metadata": {text[:99]: text}}],
    }
    client = visitor.client()

    client.cards.create(card, content=content, note=text)
    clone = client.cards.clone(card, f"{card}-clone", note=text)
    said = client.cards.comments.write(card, text)
    client.cards.edit(card, patch={"business_details": {"business_problem": text}}, note=text)

    (second, first) = client.cards.versions(card)
    assert client.cards.version(card, 1).to_dict()["content"] == content
    assert [first.note, second.note] == [text, text]
    assert text in next(client.cards.versions(clone.name)).note
    assert client.get(f"/comments/{said.id}").text == text
    assert client.events.verify()["breaks"] == []


@pytest.mark.parametrize("where", ["content", "key", "note", "comment", "reason", "request", "file"])
def test_a_nul_is_refused_wherever_it_stands_and_leaves_nothing(visitor, where):
    client = visitor.client()
    card = f"nul-{where}"
    client.cards.create(card)
    before = client.events.list(limit=1)[0]["sequence"]
    nul = "a\0b"
    path = f"/api/v1/cards/{card}"
    asked = {
        "content": ("PUT", f"{path}/content", {"content": {"model_overview": {"model_description": nul}}}),
        "key": ("PUT", f"{path}/content", {"content": {"additional_information": {"custom_details": {nul: "x"}}}}),
        "note": ("PUT", f"{path}/content", {"content": {"model_overview": {}}, "note": nul}),
        "comment": ("POST", f"{path}/comments", {"text": nul}),
        "reason": ("DELETE", f"{path}?reason=a%00b", b""),
        "request": ("POST", f"{path}/review-requests", {"reviewer": "x", "note": nul}),
        "file": ("PUT", f"{path}/attachments?name=a%00b", b"bytes"),
    }[where]

    answer = visitor.ask(*asked)

    assert (answer.status, answer.body["error"]["code"]) == (400, "Invalid")
    assert client.events.list(limit=1)[0]["sequence"] == before


def metrics(count):
    data = [{"name": f"m{number}", "type": "number", "value": number} for number in range(count)]
    return {"evaluation_details": [{"name": "many", "metric_groups": [{"name": "all", "metric_data": data}]}]}


def test_what_is_too_large_is_refused_with_its_size_and_the_limit(visitor):
    client = visitor.client()
    client.cards.create("large")
    details = {f"k{number}": "x" * 1024 for number in range(2000)}
    refused = {
        "2,000,000 characters": {"additional_information": {"custom_details": details}},
        "50,000 metrics": metrics(50_000),
    }

    for content in refused.values():
        answer = visitor.ask("PUT", "/api/v1/cards/large/content", {"content": content})
        size = len(json.dumps(content, separators=(",", ":"), ensure_ascii=False))
        assert answer.status == 400
        assert str(size) in answer.body["error"]["message"]
        assert "2000000" in answer.body["error"]["message"]
    assert client.cards.get("large").number == 1


def test_as_much_as_fits_is_kept_and_read_again(visitor):
    client = visitor.client()
    content = metrics(2000)

    client.cards.create("full", content=content)
    client.cards.clone("full", "full-clone")

    assert client.cards.version("full-clone", 1).to_dict()["content"] == content


def test_a_comment_of_100_000_characters_is_refused_and_one_of_10_000_is_kept(visitor):
    client = visitor.client()
    client.cards.create("talk")

    long = visitor.ask("POST", "/api/v1/cards/talk/comments", {"text": "x" * 100_000})
    client.cards.comments.write("talk", "é" * 10_000)

    assert long.status == 400
    assert "100000 characters" in long.body["error"]["message"]
    assert [len(each.text) for each in client.cards.comments.list("talk")] == [10_000]


def test_text_that_is_no_text_is_refused(visitor):
    body = b'{"text": "\xff\xfe"}'
    half = msgspec.json.encode({"text": "x"}).replace(b"x", b"\\ud800")
    visitor.client().cards.create("half")

    for each in (body, half):
        answer = visitor.ask("POST", "/api/v1/cards/half/comments", each)
        assert (answer.status, answer.body["error"]["code"]) == (400, "Invalid")
