"""What holds when a card is cloned or deleted."""

import pytest
import sqlalchemy as sa

from modelward.governance.cards import (
    attachments,
    copying,
    deletion,
    reviewing,
    use_cases,
)
from modelward.governance.cards.deletion import CardNotDeletable
from modelward.governance.cards.entities import CardStatus
from modelward.governance.cards.prefill import RegisteredVersion
from modelward.governance.registry import use_cases as registry
from modelward.kernel.errors import NotFound
from modelward.kernel.refs import ModelRef, VersionRef
from support.cards import (
    ANA,
    BEN,
    FULL,
    NUMBERS,
    events_of,
    let_in,
    move,
    new_card,
    write,
)


@pytest.fixture
def people(workshop):
    return let_in(workshop)


def registered(workshop, model, number, **facts):
    """A registered version, as the registry tells of it."""

    def task(work):
        if number == 1:
            registry.register_model(work, name=model)
        registry.register_version(work, ModelRef(model))

    workshop.write(ANA, task)
    ref = VersionRef.of(model, number)
    return RegisteredVersion(
        ref=ref,
        model=ModelRef(model),
        number=number,
        description="",
        owner="ana",
        created_by="ana",
        artifact=None,
        **facts,
    )


EVALUATED = {
    **FULL,
    "model_overview": {"model_id": "own@1", "model_name": "own", "model_version": 1, "model_description": "Says."},
    "evaluation_details": [
        {"name": "bias", "metadata": {"evaluation": "e-1", "report": "sha256:" + "0" * 64}, "metric_groups": []},
        {"name": "by hand", "evaluation_observation": "Looked at by people."},
    ],
}


def test_a_clone_says_of_each_field_where_it_comes_from_and_leaves_out_what_is_true_of_another_version(people):
    source = new_card(people, content=EVALUATED)

    clone = people.write(BEN, lambda work: copying.clone_card(work, source, name=f"{source}-clone"))

    copied = people.read(ANA, lambda work: use_cases.get_version(work, clone.name))
    assert (clone.status, clone.number, clone.owner) == (CardStatus.DRAFT, 1, "ben")
    assert copied.content["intended_uses"] == FULL["intended_uses"]
    assert copied.content["model_overview"] == {"model_description": "Says."}
    assert [each["name"] for each in copied.content["evaluation_details"]] == ["by hand"]
    assert set(copied.origins.values()) == {f"cloned from {source} version 1"}
    assert events_of(people, clone.name) == ["CardCreated", "CardCloned"]


def test_what_the_registration_of_the_new_version_tells_goes_before_what_is_copied(people):
    model = f"own-{next(NUMBERS)}"
    registered(people, model, 1)
    source = new_card(people, content={**FULL, "model_overview": {"algorithm_type": "tree", "model_owner": "x"}})
    second = registered(people, model, 2, algorithm="forest")

    clone = people.write(ANA, lambda work: copying.clone_card(work, source, name=f"{source}-2", registered=second))

    copied = people.read(ANA, lambda work: use_cases.get_version(work, clone.name))
    assert clone.version == second.ref
    assert copied.content["model_overview"]["algorithm_type"] == "forest"
    assert copied.origins["$.model_overview.algorithm_type"] == f"registration of {second.ref}"
    assert copied.origins["$.intended_uses.risk_rating"] == f"cloned from {source} version 1"


def test_a_clone_for_the_same_version_keeps_what_was_measured_of_it(people):
    model = f"own-{next(NUMBERS)}"
    own = registered(people, model, 1)
    content = {**EVALUATED, "model_overview": {"model_id": model, "model_description": "Says."}}
    source = new_card(people, content=content, version=own.ref)
    move(people, source, "archived")

    clone = people.write(ANA, lambda work: copying.clone_card(work, source, name=f"{source}-2", registered=own))

    assert people.read(ANA, lambda work: use_cases.get_version(work, clone.name)).content == content


def test_a_draft_that_nobody_relied_on_is_deleted_with_all_that_belongs_to_it_and_the_log_remembers(people):
    card = new_card(people)
    first = write(people, card, "@ben")
    write(people, card, "Answer.", by=BEN, reply_to=first.id)
    people.write(ANA, lambda work: reviewing.ask_for_review(work, card, reviewer="ben"))
    people.write(
        ANA, lambda work: use_cases.edit_card(work, card, patch={"business_details": {"line_of_business": "x"}})
    )
    digest, size = people.blobs.put(b"file")
    people.write(ANA, lambda w: attachments.attach(w, card, digest=digest, bytes=size, file_name="a.txt", head=b"file"))
    before = people.database.read(lambda c: rows_about(c, card))

    people.write(ANA, lambda work: deletion.delete_card(work, card, reason="A mistake."))

    assert {"card_comment", "card_notice", "card_attachment", "card_version", "card_review_request"} <= set(before)
    assert people.database.read(lambda c: rows_about(c, card)) == {}
    assert events_of(people, card)[0] == "CardCreated"
    assert events_of(people, card)[-1] == "CardDeleted"
    with pytest.raises(NotFound):
        people.read(ANA, lambda work: use_cases.get_card(work, card))


def rows_about(connection, card):
    """How many rows each table has that names a card, by whatever column a card is named in the schema."""
    seen = sa.inspect(connection)
    found = {}
    for table in seen.get_table_names():
        columns = {column["name"] for column in seen.get_columns(table)}
        column = "name" if table == "card" else "card"
        if column in columns:
            count_ = connection.scalar(
                sa.text(f'SELECT count(*) FROM {table} WHERE "{column}" = :card'), {"card": card}
            )
            found |= {table: count_} if count_ else {}
    return found


def test_the_name_of_a_deleted_card_is_free_and_the_new_card_begins_at_one(people):
    card = new_card(people)
    people.write(ANA, lambda work: deletion.delete_card(work, card))

    again = people.write(ANA, lambda work: use_cases.create_card(work, name=card, content=FULL))
    people.write(ANA, lambda work: deletion.delete_card(work, card))

    assert again.number == 1


@pytest.mark.parametrize("steps", [["pending-review"], ["approved"], ["approved", "draft"], ["archived"]])
def test_what_was_approved_once_or_is_no_draft_is_not_deleted(people, steps):
    card = new_card(people)
    for step in steps:
        move(people, card, step)

    with pytest.raises(CardNotDeletable) as caught:
        people.write(ANA, lambda work: deletion.delete_card(work, card))

    assert caught.value.hint == "Archive it instead."
    assert people.read(ANA, lambda work: use_cases.get_card(work, card)).number == 1


def test_that_an_earlier_card_of_the_name_was_approved_says_nothing_of_the_new_one(people):
    card = new_card(people)
    people.write(ANA, lambda work: deletion.delete_card(work, card))
    people.write(ANA, lambda work: use_cases.create_card(work, name=card, content=FULL))
    move(people, card, "approved")
    move(people, card, "draft")

    with pytest.raises(CardNotDeletable, match="approved once"):
        people.write(ANA, lambda work: deletion.delete_card(work, card))


def test_the_versions_of_a_card_cannot_be_deleted_by_themselves(people):
    card = new_card(people)

    with pytest.raises(Exception, match="never changed"):
        people.database.write(
            lambda c: c.execute(sa.text("DELETE FROM card_version WHERE card = :card"), {"card": card})
        )


def test_every_table_that_names_a_card_goes_with_it(database):
    def naming(connection):
        seen = sa.inspect(connection)
        return {
            table for table in seen.get_table_names() if "card" in {each["name"] for each in seen.get_columns(table)}
        }

    kept = {"card_deletion"}
    assert {each for each in database.read(naming) - kept if not each.startswith("card_search")} == set(
        deletion.GO_WITH_A_CARD
    )
