"""Who may let whom in, and how long a secret opens anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.governance.access import use_cases
from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import EVERYBODY, PERSONAS, READ_ALL, Permission, Persona, allow
from modelward.kernel.actors import NOBODY, Actor, ActorKind
from modelward.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn


def actor(persona, id="somebody"):
    return Actor(
        id=id,
        name=id,
        kind=ActorKind.PERSON,
        permissions=frozenset(each.value for each in PERSONAS[persona] | EVERYBODY),
    )


@pytest.fixture
def owner(workshop):
    workshop.write(SYSTEM, use_cases.found_house)
    return actor(Persona.OWNER, "owner")


def add(workshop, by, id, persona=Persona.AUDITOR, **options):
    return workshop.write(by, lambda work: use_cases.add_person(work, id=id, persona=persona, **options))


def secret_of(workshop, by, person, **options):
    return workshop.write(by, lambda work: use_cases.make_token(work, person=person, label="", **options))


def who(workshop, secret):
    return workshop.read(NOBODY, lambda work: use_cases.who_has_token(work, secret=secret))


def test_permissions_are_in_the_order_of_the_alphabet_and_named_thing_dot_verb():
    assert [each.name for each in Permission] == sorted(each.name for each in Permission)
    assert all(each.value == each.name.lower().replace("_", ".") for each in Permission)


def test_no_persona_below_the_owner_manages_access():
    assert {persona for persona in Persona if Permission.ACCESS_MANAGE in PERSONAS[persona]} == {Persona.OWNER}


def test_nobody_but_the_owner_both_registers_versions_and_decides_on_them():
    both = {Permission.VERSION_REGISTER, Permission.REVIEW_DECIDE}

    assert {persona for persona in Persona if both <= PERSONAS[persona]} == {Persona.OWNER}


def test_an_auditor_reads_everything_takes_it_along_as_a_document_and_nothing_else():
    assert {each for each in Permission if each.value.endswith(".read")} == READ_ALL
    assert PERSONAS[Persona.AUDITOR] == READ_ALL | {Permission.CARD_EXPORT}


@given(st.frozensets(st.sampled_from(Permission)), st.sampled_from(Permission))
def test_a_permission_is_allowed_exactly_if_it_is_held(held, wanted):
    somebody = Actor(id="x", name="X", kind=ActorKind.PERSON, permissions=frozenset(each.value for each in held))

    if wanted in held:
        allow(somebody, wanted)
    else:
        with pytest.raises(NotAllowed if held else NotSignedIn):
            allow(somebody, wanted)


def test_the_first_owner_is_made_once(workshop):
    first = workshop.write(SYSTEM, use_cases.found_house)

    assert workshop.write(SYSTEM, use_cases.found_house) is None
    assert who(workshop, first.secret).id == "owner"


def test_only_modelward_itself_founds_a_house(workshop):
    with pytest.raises(NotAllowed):
        workshop.write(actor(Persona.DATA_SCIENTIST), use_cases.found_house)


@pytest.mark.parametrize("persona", [each for each in Persona if each is not Persona.OWNER])
def test_only_an_owner_lets_people_in(workshop, persona):
    with pytest.raises(NotAllowed):
        add(workshop, actor(persona), "ana")


def test_an_id_is_never_given_to_somebody_else_not_even_when_its_person_has_left(workshop, owner):
    add(workshop, owner, "ana")
    workshop.write(owner, lambda work: use_cases.disable_person(work, id="ana"))

    with pytest.raises(Conflict, match="never used again"):
        add(workshop, owner, "ana")


@pytest.mark.parametrize("id", ["", "a/b", "..", "a b", "é", "x" * 129])
def test_an_id_is_a_name(workshop, owner, id):
    with pytest.raises(Invalid):
        add(workshop, owner, id)


def test_nobody_becomes_modelward_itself(workshop, owner):
    with pytest.raises(NotAllowed):
        add(workshop, owner, "eve", kind=ActorKind.SYSTEM)


def test_nobody_changes_their_own_persona_or_disables_themselves(workshop, owner):
    with pytest.raises(NotAllowed, match="own persona"):
        workshop.write(owner, lambda work: use_cases.change_persona(work, id="owner", persona=Persona.AUDITOR))
    with pytest.raises(NotAllowed, match="themselves"):
        workshop.write(owner, lambda work: use_cases.disable_person(work, id="owner"))


def test_a_secret_opens_until_it_is_revoked_and_only_that_one(workshop, owner):
    add(workshop, owner, "ana")
    first, second = secret_of(workshop, owner, "ana"), secret_of(workshop, owner, "ana")

    workshop.write(owner, lambda work: use_cases.revoke_token(work, id=first.token.id))

    assert who(workshop, first.secret) is None
    assert who(workshop, second.secret).id == "ana"


def test_a_disabled_person_has_no_secret_that_opens_and_gets_no_new_session(workshop, owner):
    add(workshop, owner, "ana")
    made = secret_of(workshop, owner, "ana")
    session, _ = workshop.write(NOBODY, lambda work: use_cases.sign_in(work, secret=made.secret))

    workshop.write(owner, lambda work: use_cases.disable_person(work, id="ana"))

    assert who(workshop, made.secret) is None
    assert workshop.read(NOBODY, lambda work: use_cases.who_has_session(work, secret=session)) is None
    with pytest.raises(NotSignedIn):
        workshop.write(NOBODY, lambda work: use_cases.sign_in(work, secret=made.secret))


def test_revoking_a_token_ends_the_sessions_that_began_with_it(workshop, owner):
    made = secret_of(workshop, owner, "owner")
    session, _ = workshop.write(NOBODY, lambda work: use_cases.sign_in(work, secret=made.secret))

    workshop.write(owner, lambda work: use_cases.revoke_token(work, id=made.token.id))

    assert workshop.read(NOBODY, lambda work: use_cases.who_has_session(work, secret=session)) is None


def test_a_session_ends_after_half_a_day_and_is_not_the_secret_of_the_token(workshop, owner, monkeypatch):
    made = secret_of(workshop, owner, "owner")
    session, _ = workshop.write(NOBODY, lambda work: use_cases.sign_in(work, secret=made.secret))
    assert session != made.secret
    assert who(workshop, session) is None

    from datetime import timedelta

    now = workshop.clock()
    workshop.clock = lambda: now + timedelta(hours=use_cases.SESSION_HOURS_MAX, seconds=1)
    assert workshop.read(NOBODY, lambda work: use_cases.who_has_session(work, secret=session)) is None


@pytest.mark.parametrize("secret", ["", "mw_", "x" * 10_000, "' OR 1=1 --", "é", "%"])
def test_what_was_never_given_out_opens_nothing(workshop, owner, secret):
    assert who(workshop, secret) is None
    with pytest.raises(NotSignedIn):
        workshop.write(NOBODY, lambda work: use_cases.sign_in(work, secret=secret))


@pytest.mark.parametrize("days", [0, -1, use_cases.TOKEN_DAYS_MAX + 1, 10**40])
def test_a_token_is_valid_for_days_that_make_sense(workshop, owner, days):
    with pytest.raises(Invalid):
        secret_of(workshop, owner, "owner", days_valid=days)


def test_a_token_for_nobody_is_not_made(workshop, owner):
    with pytest.raises(NotFound):
        secret_of(workshop, owner, "nobody-here")
