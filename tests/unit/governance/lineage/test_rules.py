"""Which event draws which edges, and how far one looks."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

import modelward.governance.reactions  # noqa: F401 - it loads the capabilities, which makes their events known
from modelward.governance.lineage import rules
from modelward.governance.lineage.entities import Edge
from modelward.kernel.errors import Invalid
from modelward.kernel.events import Event, Happening
from modelward.storage.blobs import digest_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def event(name, **detail):
    return Event(
        sequence=1, id="event-1", at=NOON, actor="ana", name=name, subject="s", detail=detail,
        previous=digest_of(b""), hash=digest_of(b""),
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(rules.DRAWS) & set(Happening.known)))
def test_every_edge_is_drawn_from_fields_that_the_event_has(name):
    known = {field.name for field in fields(Happening.known[name])}

    for draw in rules.DRAWS[name]:
        assert {draw.source_field, draw.target_field} - {"model"} <= known


def test_a_registration_draws_model_artifact_and_data():
    drawn = rules.edges_of(event("VersionRegistered", version="fraud@1", artifact=None, training_datasets=["a", "b"]))

    assert [(each.source, each.relation, each.target) for each in drawn] == [
        ("version:fraud@1", "is a version of", "model:fraud"),
        ("dataset:a", "trained", "version:fraud@1"),
        ("dataset:b", "trained", "version:fraud@1"),
    ]


def test_a_card_of_no_version_draws_nothing():
    assert rules.edges_of(event("CardCreated", card="c", version=None)) == []


def test_a_long_name_is_cut_and_stays_apart_from_another():
    one, other = (
        rules.edges_of(event("VersionRegistered", version="f@1", training_datasets=["x" * 5000 + end]))[1].source
        for end in "ab"
    )

    assert len(one) < 300
    assert one != other


@pytest.mark.parametrize(
    "text, id",
    [
        ("fraud@3", "version:fraud@3"),
        ("dataset:s3://bucket/a b", "dataset:s3://bucket/a b"),
        (f"sha256:{'0' * 64}", f"artifact:sha256:{'0' * 64}"),
        ("review-" + "0" * 26, "review:review-" + "0" * 26),
    ],
)
def test_a_node_is_known_by_its_kind_or_its_form(text, id):
    assert rules.node_id(text) == id


@pytest.mark.parametrize("text", ["fraud", "ghost:fraud", "dataset:", "<script>", ""])
def test_a_node_that_says_no_kind_is_refused(text):
    with pytest.raises(Invalid, match="does not say what it is"):
        rules.node_id(text)


names = st.integers(0, 6).map(lambda number: f"model:{number}")
graphs = st.lists(st.tuples(names, names), max_size=12)


def look(graph, depth, nodes_max=100):
    edges = [Edge(source=a, relation="r", target=b, event="e", at=NOON) for a, b in graph]
    return rules.neighbourhood(
        "model:0", depth, nodes_max=nodes_max,
        edges_at=lambda ids: [each for each in edges if each.source in ids or each.target in ids],
    )  # fmt: skip


@given(graph=graphs, depth=st.integers(1, 5))
def test_a_longer_look_sees_all_that_a_shorter_one_saw(graph, depth):
    near, far = look(graph, depth), look(graph, depth + 1)

    assert set(near.nodes) <= set(far.nodes)
    assert {str(each) for each in near.edges} <= {str(each) for each in far.edges}


@given(graph=graphs, depth=st.integers(1, 5), nodes_max=st.integers(1, 5))
def test_edges_lie_between_nodes_that_are_shown(graph, depth, nodes_max):
    seen = look(graph, depth, nodes_max)

    shown = {each.id for each in seen.nodes}
    assert len(shown) <= nodes_max
    assert all({each.source, each.target} <= shown for each in seen.edges)
