"""JSON in and out, strictly."""

import contextlib
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.kernel import codec
from modelward.kernel.errors import Invalid
from modelward.kernel.refs import Digest, VersionRef


class Thing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of each kind."""

    ref: VersionRef
    digest: Digest | None = None
    count: int = 0
    share: float = 0.0
    tags: dict[str, str] = {}
    at: datetime | None = None


THINGS = st.builds(
    Thing,
    ref=st.builds(VersionRef.of, st.sampled_from(["fraud", "churn"]), st.integers(1, 99)),
    digest=st.none()
    | st.builds(lambda text: Digest(f"sha256:{text}"), st.text("0123456789abcdef", min_size=64, max_size=64)),
    count=st.integers(-(2**63), 2**63 - 1),
    share=st.floats(allow_nan=False, allow_infinity=False),
    tags=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner), max_leaves=8
)


@given(THINGS)
def test_what_is_written_reads_back_equal(thing):
    assert codec.decode(codec.encode(thing), Thing) == thing
    assert codec.convert(codec.plain(thing), Thing) == thing


@given(THINGS)
def test_a_reference_read_from_json_is_a_reference_and_not_just_a_text(thing):
    assert isinstance(codec.decode(codec.encode(thing), Thing).ref, VersionRef)


@given(JSON)
def test_equal_values_have_equal_canonical_bytes_whatever_the_order_of_their_keys(value):
    def turned(each):
        if isinstance(each, dict):
            return {key: turned(each[key]) for key in reversed(list(each))}
        return [turned(one) for one in each] if isinstance(each, list) else each

    assert codec.canonical(value) == codec.canonical(turned(value))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"fraud@1"', b"{}", b'{"ref": "fraud"}', b'{"ref": 1}', b'{"ref": "fraud@1", "other": 1}',
        b'{"ref": "fraud@1", "count": "1"}', b'{"ref": "fraud@1", "count": 1.5}', b'{"ref": "fraud@1", "count": true}',
        b'{"ref": "fraud@1", "share": NaN}', b'{"ref": "fraud@1", "share": Infinity}', b'{"ref": "fraud@1", "share": 1e999}',
        b'{"ref": "fraud@1", "share": "0.5"}', b'{"ref": "fraud@1", "digest": "sha256:00"}', b'{"ref": "fraud@1", "at": "soon"}',
        b'{"ref": "fraud@1", "tags": {"a": 1}}', b'{"ref": "fraud@1"} x', b"{'ref': 'fraud@1'}", b'\xff\xfe{"ref": "fraud@1"}',
        b'{"ref": "fraud@1", "tags": {"a": "\xff"}}', b'{"ref": "fraud@1", "tags": {"a": "\\ud800"}}',
        b'{"ref": "fraud@1", "tags": ' + b"[" * 100_000, b'{"ref":' * 100_000,
    ],
)  # fmt: skip
def test_a_body_that_is_not_exactly_of_the_type_is_refused_as_invalid(body):
    with pytest.raises(Invalid):
        codec.decode(body, Thing)


def test_deep_nesting_is_refused_even_where_anything_is_allowed():
    with pytest.raises(Invalid):
        codec.decode(b"[" * 200_000 + b"]" * 200_000, object)


@given(st.binary(max_size=60))
def test_no_bytes_whatever_raise_anything_but_invalid(body):
    with contextlib.suppress(Invalid):
        codec.decode(body, Thing)
