"""The PDF of a card keeps the rules of PDF/A-3a and PDF/UA-1, in every script, with the fonts that an organisation names."""

import io
import json
import os
from pathlib import Path

import pytest

from modelward.governance.cards.documents import fonts, pdf
from modelward.governance.cards.documents.facts import Control, ControlPack
from modelward.governance.cards.documents.fonts import FontChoice
from modelward.governance.cards.documents.glyphs import MISSING
from modelward.kernel.errors import Invalid
from support.card_contents import HOSTILE_LEGAL, facts_of

pikepdf = pytest.importorskip("pikepdf", reason="needs pikepdf")
pypdf = pytest.importorskip("pypdf", reason="needs pypdf")
builder = pytest.importorskip("fontTools.fontBuilder", reason="needs fonttools")

from support.pdf_rules import faults_of  # noqa: E402

NONE = FontChoice(system=False)
# Those of the system, and of folders named here, such as the unpacked Debian packages fonts-noto-*.
AT_HAND = fonts.choice_of(os.environ.get("MODELWARD_TEST_FONTS", ""), system=True)
SCRIPTS = {
    "Chinese": "这个模型对付款进行评分",
    "Japanese": "このモデルは支払いを採点します",
    "Korean": "이 모델은 결제를 평가합니다",
    "Arabic": "يقيّم هذا النموذج المدفوعات (v3)",
    "Hebrew": "נועד לבדוק תשלומים v3",
    "Devanagari": "यह मॉडल क्षेत्र",
    "emoji": "😀 👨\u200d👩\u200d👧 ❤\ufe0f 🇩🇪 👍🏽",
}
BAR = {"name": "b", "type": "bar_chart", "value": [3, -1.5], "x_axis_name": ["क्षेत्र", "金額"]}
LINE = {"name": "l", "type": "linear_graph", "value": [[0, 0], [1, 1]]}
MATRIX = {"name": "m", "type": "matrix", "value": [[9, 2], [3, 5]]}


def whole(text):
    told = {"name": text[:60], "evaluation_observation": text,
            "metric_groups": [{"name": text[:60], "metric_data": [BAR, LINE, MATRIX,
                               {"name": text[:60], "type": "number", "value": 1, "notes": text}]}]}  # fmt: skip
    content = {
        "model_overview": {"model_description": text, "model_artifact": [text, "second"]},
        "evaluation_details": [told],
        "additional_information": {"custom_details": {text[:60]: text}},
    }
    pack = ControlPack(name="Pack", controls=[Control(clause="1", title=text, result="open", told="x")])
    return facts_of(content, pack=pack)


def a_font(folder: Path, characters: str, *, family: str = "Own") -> str:
    """A folder with a font that shows some characters as boxes."""
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    names = [".notdef", *(f"g{n}" for n in range(len(characters)))]
    made = builder.FontBuilder(1000, isTTF=True)
    made.setupGlyphOrder(names)
    made.setupCharacterMap({ord(each): f"g{n}" for n, each in enumerate(characters)})
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(corner)
    pen.closePath()
    made.setupGlyf(dict.fromkeys(names, pen.glyph()))
    made.setupHorizontalMetrics(dict.fromkeys(names, (750, 0)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable(
        {"familyName": family, "styleName": "Regular", "psName": f"{family}-Regular", "fullName": family}
    )
    made.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    made.setupPost()
    folder.mkdir(exist_ok=True)
    made.save(folder / f"{family}.ttf")
    return str(folder)


def text_of(data):
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def test_a_plain_card_keeps_the_rules():
    assert faults_of(pdf.render(whole("Scores payments."), NONE)) == []


@pytest.mark.parametrize("name", HOSTILE_LEGAL)
def test_hostile_cards_keep_the_rules(name):
    told = HOSTILE_LEGAL[name] if isinstance(HOSTILE_LEGAL, dict) else name
    assert faults_of(pdf.render(whole(str(told)[:1000]), NONE)) == []


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda root: root.__delitem__("/Lang"), "no language"),
        (lambda root: root.__delitem__("/OutputIntents"), "output intent"),
        (lambda root: root.__delitem__("/StructTreeRoot"), "tree of structure"),
        (lambda root: root.__delitem__("/AF"), "not associated"),
        (lambda root: root.ViewerPreferences.__delitem__("/DisplayDocTitle"), "window"),
    ],
)
def test_the_check_finds_what_is_broken(damage, fault):
    document = pikepdf.open(io.BytesIO(pdf.render(whole("x"), NONE)))
    damage(document.Root)
    written = io.BytesIO()
    document.save(written)

    assert any(fault in each for each in faults_of(written.getvalue()))


def test_what_no_font_shows_is_told_on_the_first_page_and_by_the_export():
    written = pdf.write(whole("日本 fraud"), NONE)

    first = pypdf.PdfReader(io.BytesIO(written.data)).pages[0].extract_text()
    [dropped] = written.dropped
    assert "Not shown" in first
    assert "no glyph in the fonts of this document (CJK" in dropped.why
    assert "font_folders" in dropped.why
    assert dropped.why.split(";")[0].split(" (")[0] in " ".join(first.split())
    assert MISSING in text_of(written.data)


def test_the_fonts_of_a_named_folder_show_what_those_of_typst_lack(tmp_path):
    choice = FontChoice(folders=(a_font(tmp_path / "fonts", "日本"),), system=False)

    written = pdf.write(facts_of({"model_overview": {"model_name": "日本 fraud 語"}}), choice)

    assert "日本 fraud" in text_of(written.data)
    assert written.dropped[0].why.startswith("1 character has no glyph")
    assert faults_of(written.data) == []


def test_the_first_folder_is_asked_first(tmp_path):
    first, second = a_font(tmp_path / "a", "日", family="First"), a_font(tmp_path / "b", "日本", family="Second")

    found = fonts.lettering(FontChoice(folders=(first, second), system=False), frozenset("日本"))

    assert found.families == ("First", "Second")


def test_a_card_that_needs_no_other_fonts_has_the_same_bytes_with_and_without_them(tmp_path):
    facts = whole("Scores payments.")
    facts = facts_of({**facts.content, "evaluation_details": []})
    choice = FontChoice(folders=(a_font(tmp_path / "fonts", "日本"),), system=True)

    assert pdf.render(facts, NONE) == pdf.render(facts, choice)
    assert pdf.render(facts_of({"model_overview": {"model_name": "日本"}}), choice) == pdf.render(
        facts_of({"model_overview": {"model_name": "日本"}}), choice
    )


def test_a_file_that_is_no_font_is_passed_over(tmp_path):
    folder = a_font(tmp_path / "fonts", "日")
    (tmp_path / "fonts" / "broken.ttf").write_bytes(b"no font")

    assert "日" in text_of(
        pdf.render(facts_of({"model_overview": {"model_name": "日"}}), FontChoice(folders=(folder,)))
    )


def test_steering_characters_stay_told_whatever_the_fonts_have(tmp_path):
    choice = FontChoice(folders=(a_font(tmp_path / "fonts", "日\u202e\u200d\ue000"),), system=False)

    shown = text_of(pdf.render(facts_of({"model_overview": {"model_name": "日\u202egnp \u200d日 \ue000"}}), choice))

    assert "[U+202E]" in shown
    assert "[U+200D]" in shown
    assert "[U+E000]" in shown


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Invalid, match="is no folder"):
        fonts.choice_of(f"{tmp_path}, {tmp_path / 'none'}", system=True)


def _installed(text):
    wanted = frozenset(each for each in text if each > "\u02ff" and each not in fonts.JOINERS)
    return wanted <= fonts.lettering(AT_HAND, wanted).shows


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_shown_with_fonts_that_have_it(script):
    text = SCRIPTS[script]
    if not _installed(text):
        pytest.skip(
            f"no font for {script} is installed (Debian: fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji)"
        )

    written = pdf.write(whole(text), AT_HAND)

    lacking = [each.why for each in written.dropped]
    assert faults_of(written.data) == []
    attached = json.loads(pypdf.PdfReader(io.BytesIO(written.data)).attachments["card.json"][0])
    assert attached["content"]["model_overview"]["model_description"] == text
    # The bars of every card here are named in Devanagari and Chinese, for which a font may be lacking.
    assert not any(script in why or (script in ("Chinese", "Japanese") and "CJK" in why) for why in lacking)
