"""The lineage of a model shows its cards, and the evidence that they stand on or stood on."""

import pytest

import modelward
from modelward.governance.lineage import store, use_cases
from modelward.governance.lineage.entities import Edge
from modelward.kernel.events import Event
from modelward.storage.blobs import digest_of
from stories.test_card_commands import FACTORS, evaluated
from unit.governance.cards.cases import ANA


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("MODELWARD_HOME", str(tmp_path / "home"))
    with modelward.connect() as opened:
        opened.models.register("fraud")
        opened.versions.register("fraud", artifact=b"the bytes of a model")
        opened.settle()
        yield opened


def grounds(client, node="card:fraud-v1"):
    client.settle()
    edges = client.lineage.get(node, depth=2).edges
    return {(each.source, each.relation) for each in edges if each.target == "card:fraud-v1"}


def test_a_card_stands_on_what_its_fields_are_bound_to_and_no_longer_on_what_they_were(client):
    first = evaluated(client)
    # An evaluation is told of in a draft by itself, bound to its report.
    assert grounds(client) == {(f"evaluation:{first}", "is evidence for")}
    client.cards.bind("fraud-v1", FACTORS, first, measure="accuracy")
    second = evaluated(client, limits={"accuracy": {"at_least": 0.5}})
    both = {(f"evaluation:{each}", "is evidence for") for each in (first, second)}
    assert grounds(client) == both
    assert grounds(client, "fraud@1") == both

    client.cards.refresh("fraud-v1")
    after = {(f"evaluation:{first}", "was evidence for"), (f"evaluation:{second}", "is evidence for")}
    assert grounds(client) == after
    client.cards.bind("fraud-v1", FACTORS, first, measure="accuracy")
    assert grounds(client) == both
    client.cards.unbind("fraud-v1", FACTORS)
    assert grounds(client) == after


def test_a_card_of_a_whole_model_stands_beside_the_model(client):
    client.cards.create("of-all", model="fraud")
    client.settle()

    edges = client.lineage.get("model:fraud", depth=1).edges

    assert ("card:of-all", "describes") in {(each.source, each.relation) for each in edges}
    assert ("card:fraud-v1", "describes", "model:fraud") not in {
        (each.source, each.relation, each.target) for each in edges
    }


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1)], ids=str)
def test_events_that_are_drawn_late_or_twice_leave_the_same_picture(workshop, order):
    now = workshop.clock()
    told = [
        Event(
            sequence=place, id=f"event-{place}", at=now.replace(microsecond=place), actor="ana", name="CardGroundsChanged",
            subject="c", detail=detail, previous=digest_of(b""), hash=digest_of(b""),
        )
        for place, detail in enumerate(
            ({"card": "c", "stands_on": ["run-1"], "left": []}, {"card": "c", "stands_on": [], "left": ["run-1"]})
        )
    ]  # fmt: skip

    for place in order:
        workshop.write(ANA, lambda work, place=place: use_cases.draw_lineage(work, told[place]))

    edges: list[Edge] = workshop.read(ANA, lambda work: store.edges_at(work, ["card:c"]))
    assert [(each.source, each.relation) for each in edges] == [("run:run-1", "was evidence for")]
