"""The document of a card tells who approved the model's version, what that covers, and when it lapsed."""

import io
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq

import modelward

CARD = {
    "intended_uses": {
        "purpose_of_model": "Tell which transfers a person should look at.",
        "risk_rating": "Medium",
        "explanations_for_risk_rating": "A person looks first.",
    },
    "business_details": {"business_problem": "Transfers made by thieves."},
    "additional_information": {"ethical_considerations": "Seen by a person before anything is stopped."},
}
FACTS = {"algorithm": "forest", "problem_type": "binary", "training_datasets": ["transfers-2025"]}


def a_table():
    chance = random.Random(0)
    y = [chance.randint(0, 1) for _ in range(600)]
    p = [each if chance.random() < 0.8 else 1 - each for each in y]
    written = io.BytesIO()
    pq.write_table(pa.table({"y": y, "p": p, "team": [chance.choice("ab") for _ in y]}), written)
    return written.getvalue()


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
            asked = ana.evaluations.request(ref, kind, a_table(), label="y", prediction="p", **chosen)
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
