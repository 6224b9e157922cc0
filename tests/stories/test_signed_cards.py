"""The document of a card tells who approved the model's version, what that covers, and when it lapsed."""

import json

import modelward
from support.transfers import CARD, FACTS, judged_transfers


def signatures(client, number):
    done = client.cards.export("fraud-v1", "json", number=number)
    return json.loads(client.cards.read_export(done.id))["signatures"]


def test_an_approval_of_the_version_is_a_signature_of_the_card_version_it_was_bound_to(tmp_path, database_url):
    with modelward.connect(tmp_path / "home", database_url=database_url) as owner:
        for person, persona in {"ana": "data-scientist", "rita": "risk-manager"}.items():
            owner.people.add(person, persona=persona)
        ana, rita = (owner.as_(owner.people.make_token(each).secret) for each in ("ana", "rita"))
        ana.models.register("fraud", description="Finds fraud.")
        ref = ana.versions.register("fraud", artifact=b"bytes of a model", facts=FACTS).ref
        owner.settle()
        ana.cards.edit("fraud-v1", patch=CARD)
        for kind, chosen in {"quality": {"problem_type": "binary"}, "bias": {"facets": ["team"]}}.items():
            asked = ana.evaluations.request(ref, kind, judged_transfers(), label="y", prediction="p", **chosen)
            ana.evaluations.wait(asked.id, seconds_max=60)
            owner.settle()
        seen = owner.cards.get("fraud-v1").number
        rita.reviews.approve(rita.reviews.of(ref).id, note="Seen with the business.")

        (signed,) = signatures(owner, seen)
        ana.cards.edit("fraud-v1", patch={"business_details": {"line_of_business": "Payments"}})
        owner.settle()
        (lapsed,) = signatures(owner, seen)

        assert (signed["by"], signed["note"]) == ("rita", "Seen with the business.")
        assert signed["meaning"].startswith("Approved fraud@1 for use.")
        assert "Lapsed on " in lapsed["note"]
        assert signatures(owner, None) == []
