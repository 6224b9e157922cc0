"""Models, versions and statuses: numbered without gaps, kept as registered, moved only as the table says."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.registry import rules, use_cases
from modelward.governance.registry.entities import ApprovalStatus, VersionFacts
from modelward.governance.registry.use_cases import ModelExists
from modelward.kernel.errors import Invalid, NotAllowed, NotFound
from modelward.kernel.pages import PageRequest
from modelward.kernel.refs import Digest, ModelRef, VersionRef
from modelward.storage import event_log
from support.workshops import ANA, verified

FRAUD = ModelRef("fraud")


def register(workshop, name="fraud", **options):
    return workshop.write(ANA, lambda work: use_cases.register_model(work, name=name, **options))


def add_version(workshop, model=FRAUD, **options):
    return workshop.write(ANA, lambda work: use_cases.register_version(work, model, **options))


def all_of(workshop, ask, **page):
    cursor, found = None, []
    while True:
        got = workshop.read(ANA, lambda work, cursor=cursor: ask(work, page=PageRequest(cursor=cursor, **page)))
        found += got.items
        if not (cursor := got.next_cursor):
            return found


def test_a_name_is_registered_once(workshop):
    register(workshop)

    with pytest.raises(ModelExists):
        register(workshop)


def test_a_version_is_read_as_it_was_registered(workshop):
    register(workshop)
    facts = VersionFacts(
        framework="sklearn", hyperparameters={"C": "1"}, training_metrics={"auc": 0.9}, training_rows=10
    )
    made = add_version(workshop, facts=facts, description="Üben\n", tags={"a": "b"})

    assert workshop.read(ANA, lambda work: use_cases.get_version(work, made.ref)) == made
    assert (made.ref, made.status, made.created_by) == ("fraud@1", ApprovalStatus.PENDING, "ana")


def test_numbers_have_no_gaps_however_many_register_at_once_and_some_fail(workshop):
    register(workshop)

    def attempt(number):
        try:
            return add_version(workshop, tags={"": "x"} if number % 5 == 0 else {}).number
        except Invalid:
            return None

    with ThreadPoolExecutor(16) as threads:
        numbers = [each for each in threads.map(attempt, range(100)) if each]

    assert sorted(numbers) == list(range(1, 81))
    assert [
        each.number for each in all_of(workshop, lambda work, page: use_cases.list_versions(work, FRAUD, page=page))
    ] == list(range(80, 0, -1))
    assert verified(workshop.database).whole


def test_each_change_leaves_exactly_one_event(workshop):
    register(workshop)
    made = add_version(workshop)
    workshop.write(ANA, lambda work: use_cases.describe_model(work, FRAUD, owner="ben"))
    workshop.write(ANA, lambda work: use_cases.describe_model(work, FRAUD, owner="ben"))
    workshop.write(
        ANA, lambda work: use_cases.change_status(work, made.ref, status=ApprovalStatus.REJECTED, reason="No.")
    )

    names = [each.name for each in workshop.database.read(lambda connection: event_log.read(connection, after=0))]
    assert names == ["ModelRegistered", "VersionRegistered", "ModelDescribed", "VersionStatusChanged"]


def test_a_version_of_an_unknown_model_or_with_unknown_bytes_is_refused_and_takes_no_number(workshop):
    with pytest.raises(NotFound):
        add_version(workshop)
    register(workshop)
    with pytest.raises(Invalid, match="No artifact"):
        add_version(workshop, artifact=Digest("sha256:" + "0" * 64))

    assert add_version(workshop).number == 1


def test_the_same_bytes_twice_are_one_artifact_with_one_event(workshop):
    digest, size = workshop.blobs.put(b"model")
    keep = lambda: workshop.write(ANA, lambda work: use_cases.store_artifact(work, digest=digest, bytes=size, name="a"))  # noqa: E731

    assert keep() == keep()
    assert len(workshop.database.read(lambda connection: event_log.read(connection, names=["ArtifactStored"]))) == 1


def test_paging_gives_every_model_once_in_the_order_of_names(workshop):
    names = [f"{letter}{number}" for letter in "bac" for number in range(7)]
    for name in names:
        register(workshop, name)

    for limit in (1, 2, 7, 20, 21, 22):
        found = [each.name for each in all_of(workshop, use_cases.list_models, limit=limit)]
        assert found == sorted(names)


@pytest.mark.parametrize(
    ("text", "found"),
    [("FRA", ["fraud"]), ("%", ["percent"]), ("_", ["under_score"]), ("weiß", ["percent"]), ("'", [])],
)
def test_a_search_finds_what_holds_the_text_and_takes_no_sign_as_a_wildcard(workshop, text, found):
    register(workshop, "fraud")
    register(workshop, "percent", description="100 % weiß")
    register(workshop, "under_score")

    assert [
        each.name for each in all_of(workshop, lambda work, page: use_cases.list_models(work, page=page, text=text))
    ] == found


@pytest.mark.parametrize(("before", "after"), list(product(ApprovalStatus, ApprovalStatus)))
def test_a_status_moves_only_as_the_table_says(before, after):
    if after in rules.STATUS_MOVES[before]:
        rules.check_status_move("fraud@1", before, after)
    else:
        with pytest.raises(rules.StatusMoveForbidden, match=r"fraud@1"):
            rules.check_status_move("fraud@1", before, after)


def test_nothing_goes_back_to_pending_and_nothing_stays_where_it_is():
    assert all(ApprovalStatus.PENDING not in moves for moves in rules.STATUS_MOVES.values())
    assert all(before not in moves for before, moves in rules.STATUS_MOVES.items())


def test_who_may_only_register_cannot_change_a_status(workshop):
    register(workshop)
    made = add_version(workshop)
    scientist = type(ANA)(
        id="sue", name="Sue", kind=ANA.kind, permissions=frozenset({"model.read", "version.register"})
    )

    with pytest.raises(NotAllowed):
        workshop.write(
            scientist, lambda work: use_cases.change_status(work, made.ref, status=ApprovalStatus.APPROVED, reason="")
        )


@given(st.dictionaries(st.text(max_size=300), st.text(max_size=300), max_size=60))
def test_tags_are_either_within_their_limits_or_refused(tags):
    try:
        rules.check_tags(tags)
    except Invalid:
        return
    assert len(tags) <= rules.TAGS_MAX
    assert all(1 <= len(key) <= rules.TAG_CHARACTERS_MAX >= len(value) for key, value in tags.items())
    assert not any(
        character < " " and character not in "\n\r\t" for each in tags.items() for text in each for character in text
    )


def test_an_unknown_version_is_not_found(workshop):
    with pytest.raises(NotFound):
        workshop.read(ANA, lambda work: use_cases.get_version(work, VersionRef("fraud@1")))
