"""YAML is read without its traps, and errors say the line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.kernel.errors import Invalid
from modelward.sdk.yaml_text import read_documents, write_document


def value_of(text):
    return read_documents(text.encode(), name="card.yaml")[0].value


@pytest.mark.parametrize(
    "written, read",
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"), ("0x1f", "0x1f"),
        ("007", 7), ("1_000", "1_000"), ("true", True), ("~", None), ("1.5", 1.5), ("1e3", 1000.0), ("'1'", "1"), ("1.2.3", "1.2.3"),
        (".5", 0.5), ("=", "="), ("-", [None]),
    ],
)  # fmt: skip
def test_only_what_looks_like_one_is_a_number_or_a_boolean(written, read):
    assert value_of(f"x: {written}") == {"x": read} if written != "-" else value_of("- ") == read


def test_each_path_knows_its_line():
    document = read_documents(b"a:\n  b:\n    - c\n    - d: 1\n", name="card.yaml")[0]

    assert document.line_of("$.a.b[1].d") == 4
    assert document.line_of("$.a.b[7].z") == 3


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' stands here twice"),
        ("a: &x 1\nb: *x\n", "line 1: anchors and aliases"),
        ("a: !!python/object:os.system x\n", "line 1: the tag"),
        ("a: !!binary aGk=\n", "line 1: the tag"),
        ("<<: {a: 1}\n", "line 1: merge keys"),
        ("a: [1\nb: 2\n", "line 2"),
        ("{[1]: 2}", "a key must be a text"),
        ("a: \x01", "card.yaml"),
        ("[" * 9000 + "]" * 9000, "nested"),
        ("[" * 80 + "]" * 80, "nested"),
    ],
)
def test_what_is_refused_is_told_with_its_line(text, words):
    with pytest.raises(Invalid) as caught:
        read_documents(text.encode(), name="card.yaml")
    assert words in str(caught.value)


def test_a_bomb_of_aliases_is_refused_before_it_grows():
    bomb = "a: &a [x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)
    )

    with pytest.raises(Invalid, match="aliases"):
        read_documents(bomb.encode(), name="bomb.yaml")


def test_a_byte_that_is_not_utf8_and_a_file_too_large_are_refused():
    with pytest.raises(Invalid, match="UTF-8"):
        read_documents(b"a: \xff", name="card.yaml")
    with pytest.raises(Invalid, match="bytes"):
        read_documents(b" " * (9 << 20), name="card.yaml")


def test_several_documents_are_read_and_empty_ones_left_out():
    found = read_documents(b"a: 1\n---\n---\nb: 2\n", name="cards.yaml")

    assert [each.value for each in found] == [{"a": 1}, {"b": 2}]
    assert found[1].line_of("$.b") == 4


texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\ufeff\u2028\u2029\x85"))
numbers = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
keys = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_what_is_written_is_read_back(value):
    found = read_documents(write_document({"value": value}).encode(), name="card.yaml")

    assert found[0].value == {"value": value}
