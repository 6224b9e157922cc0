"""What a name and a reference are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.kernel.errors import Invalid
from modelward.kernel.refs import Digest, ModelRef, VersionRef, checked_name

INNER = st.text("abzABZ019._-", max_size=126)
NAMES = st.builds(
    lambda first, inner, last: first + inner + last, st.sampled_from("aZ9"), INNER, st.sampled_from("bY0_")
)


@given(NAMES)
def test_a_name_of_letters_digits_dots_dashes_and_underscores_is_kept_as_it_is(name):
    assert checked_name(name) == name


@given(st.text(max_size=200))
def test_any_text_is_either_a_name_or_refused_as_invalid(text):
    try:
        kept = checked_name(text)
    except Invalid:
        pass
    else:
        assert kept == text
        assert 1 <= len(text) <= 128
        assert text.isascii()
        assert text[0].isalnum()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "-a",
        ".a",
        "_a",
        "a.",
        "a-",
        "a b",
        "a\n",
        "\na",
        "é",
        "a\x00",
        "a@1",
        "%2e",
        "a" * 129,
    ],
)
def test_a_name_is_never_a_path_a_hidden_file_an_option_or_a_version(text):
    with pytest.raises(Invalid):
        checked_name(text)


@given(NAMES, st.integers(1, 999_999_999))
def test_a_version_reference_is_its_model_and_its_number(model, number):
    ref = VersionRef.of(model, number)

    assert VersionRef.parse(ref) == ref
    assert (ref.model, ref.number) == (model, number)
    assert isinstance(ref.model, ModelRef)


@pytest.mark.parametrize(
    "text",
    ["fraud", "fraud@", "@1", "fraud@0", "fraud@01", "fraud@-1", "fraud@1.0", "fraud@²", "fraud@1@2", "a b@1",
     "fraud@" + "1" * 5000, "fraud@1\n", ""],
)  # fmt: skip
def test_what_is_not_name_at_number_is_no_version_reference(text):
    with pytest.raises(Invalid):
        VersionRef.parse(text)


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "0" * 63, "sha256:" + "A" * 64, "sha1:" + "0" * 64, "sha256:" + "0" * 64 + "\n"]
)
def test_what_is_not_sha256_and_64_hex_digits_is_no_digest(text):
    with pytest.raises(Invalid):
        Digest.parse(text)
