"""A card as HTML and as Markdown: whole in one file, and what the card says stays text."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt

from modelward.governance.cards.documents import html_page, markdown
from modelward.governance.cards.documents.facts import Control, ControlPack
from support.card_contents import HOSTILE_LEGAL, contents, facts_of

BAR = {"name": "Importance", "type": "bar_chart", "value": [3, -1.5], "x_axis_name": ["amount", "hour"]}
CONTENT = {
    "model_overview": {"model_description": "Scores payments."},
    "evaluation_details": [{"name": "quality", "metric_groups": [{"name": "g", "metric_data": [BAR]}]}],
}
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
VOID = {"meta", "br", "link", "img", "line", "rect", "circle", "polyline"}


class Reader(HTMLParser):
    """The tags, attributes and text of a page; an end that fits no beginning is a fault."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def page_of(content, **chosen):
    return html_page.render(facts_of(content, **chosen)).decode()


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing():
    page = Reader(page_of(CONTENT))

    assert page.open == []
    assert not {"script", "iframe", "img", "link", "object", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert {value for name, value in page.attributes if name == "href" and not value.startswith("#")} == {
        "https://models.example.com/cards/fraud-v3"
    }
    assert "default-src 'none'" in dict(page.attributes)["content"] or any(
        "default-src 'none'" in (value or "") for _, value in page.attributes
    )


def test_charts_are_drawn_in_the_page_with_words_for_who_cannot_see_them():
    page = Reader(page_of(CONTENT))

    assert ("aria-label", "Bar chart of Importance: amount 3; hour -1.5.") in page.attributes
    assert "svg" in page.tags
    assert {"amount", "hour"} <= set(page.words)


def test_the_page_tells_status_signatures_evidence_and_controls():
    pack = ControlPack(name="Ours", controls=[Control(clause="4.1", title="Purpose", result="covered", told="$.x")])
    told = " ".join(" ".join(Reader(page_of(CONTENT, pack=pack)).words).split())

    for words in ("Approved", "maria", "Approved fraud@3 for use.", "evaluation e-1", "9 days", "4.1", "Ours"):
        assert words in told or words.replace("9 days", "11 days") in told


@pytest.mark.parametrize("text", HOSTILE_LEGAL)
def test_hostile_text_makes_no_element_on_the_page(text):
    content = {
        "model_overview": {"model_description": text, "model_artifact": [text, text]},
        "additional_information": {"custom_details": {text[:60]: text}},
        "evaluation_details": [
            {"name": text[:60], "metric_groups": [{"name": text[:60], "metric_data": [{**BAR, "name": text[:60]}]}]}
        ],
    }
    plain = Reader(page_of({**content, "model_overview": {"model_description": "x", "model_artifact": ["x", "x"]}}))
    page = Reader(page_of(content))

    assert set(page.tags) <= set(plain.tags) | {"br"}
    assert page.open == []
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", "".join(page.words))


@SLOW
@given(contents())
def test_the_page_of_every_legal_card_is_well_formed(content):
    assert Reader(page_of(content)).open == []


def rendered(content, **chosen):
    return MarkdownIt("commonmark").enable("table").parse(markdown.render(facts_of(content, **chosen)).decode())


def inline_kinds(tokens):
    return {child.type for token in tokens for child in token.children or []}


def test_a_chart_becomes_the_table_of_its_figures_in_markdown():
    text = markdown.render(facts_of(CONTENT)).decode()

    assert "| amount | 3 |\n| hour | -1.5 |" in text


@pytest.mark.parametrize("text", HOSTILE_LEGAL)
def test_hostile_text_makes_no_markup_in_markdown(text):
    content = {
        "model_overview": {"model_description": text, "model_artifact": [text, text]},
        "additional_information": {"custom_details": {text[:60]: text}},
    }
    tame = {
        "model_overview": {"model_description": "x", "model_artifact": ["x", "x"]},
        "additional_information": {"custom_details": {"x": "x"}},
    }
    tokens, plain = rendered(content), rendered(tame)

    assert {token.type for token in tokens} == {token.type for token in plain}
    assert inline_kinds(tokens) <= inline_kinds(plain) | {"hardbreak", "softbreak"}
    assert len([1 for token in tokens if token.type == "tr_open"]) == len(
        [1 for each in plain if each.type == "tr_open"]
    )


@SLOW
@given(contents())
def test_the_markdown_of_every_legal_card_has_only_the_headings_we_wrote(content):
    tokens = rendered(content)
    levels = [token.tag for token in tokens if token.type == "heading_open"]
    sections = sum(bool(_said(content.get(name))) for name in content if name != "evaluation_details")

    assert levels.count("h1") == 1
    assert levels.count("h2") == 2 + sections + bool(content.get("evaluation_details"))
    assert {token.type for token in tokens}.isdisjoint({"html_block", "fence", "code_block", "blockquote_open", "hr"})


def _said(value):
    if isinstance(value, dict):
        return any(_said(each) for each in value.values())
    return value not in ("", [], None)
