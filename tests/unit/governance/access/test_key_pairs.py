"""Who may make key pairs, what they open, and that no secret of theirs is stored."""

from datetime import timedelta

import pytest

from modelward.governance.access import key_pairs, use_cases
from modelward.governance.access.entities import SYSTEM
from modelward.governance.access.permissions import PERSONAS, Persona
from modelward.kernel.actors import NOBODY, Actor, ActorKind
from modelward.kernel.errors import Invalid, NotAllowed, NotFound, Unavailable
from modelward.storage.keyring import Keyring

BEN = Actor(
    id="ben",
    name="Ben",
    kind=ActorKind.PERSON,
    permissions=frozenset(each.value for each in PERSONAS[Persona.DATA_SCIENTIST]),
)


@pytest.fixture
def house(workshop, tmp_path):
    workshop.keyring = Keyring(tmp_path / "key")
    for id, persona in (("ben", Persona.DATA_SCIENTIST), ("eve", Persona.AUDITOR)):
        workshop.write(SYSTEM, lambda work, id=id, persona=persona: use_cases.add_person(work, id=id, persona=persona))
    return workshop


def make(house, by=SYSTEM, person="ben", **options):
    return house.write(by, lambda work: key_pairs.make_key_pair(work, person=person, **options))


def who(house, id):
    return house.read(NOBODY, lambda work: key_pairs.who_has_key_pair(work, id=id))


def test_a_pair_is_found_with_its_secret_and_acts_as_its_holder(house):
    made = make(house, label="laptop")

    actor, secret = who(house, made.key.id)

    assert (actor.id, actor.key_made_by, secret) == ("ben", "modelward", made.secret)
    assert len(made.secret) == 40
    assert actor.permissions >= BEN.permissions


def test_everybody_makes_pairs_for_themselves_and_only_managers_for_others(house):
    assert make(house, by=BEN).key.person == "ben"
    with pytest.raises(NotAllowed):
        make(house, by=BEN, person="eve")
    with pytest.raises(NotFound):
        make(house, person="nobody-here")
    with pytest.raises(Invalid, match="days_valid"):
        make(house, days_valid=0)


def test_a_pair_opens_nothing_once_it_is_revoked_expired_or_its_holder_disabled(house, monkeypatch):
    revoked, expiring, kept = make(house), make(house, days_valid=1), make(house, person="eve")
    house.write(BEN, lambda work: key_pairs.revoke_key_pair(work, id=revoked.key.id))
    house.write(SYSTEM, lambda work: use_cases.disable_person(work, id="eve"))
    now = house.clock()
    monkeypatch.setattr(house, "clock", lambda: now + timedelta(days=1))

    assert [who(house, each.key.id) for each in (revoked, expiring, kept)] == [None, None, None]


def test_nobody_revokes_or_lists_the_pairs_of_others(house):
    made = make(house, person="eve")

    with pytest.raises(NotFound):
        house.write(BEN, lambda work: key_pairs.revoke_key_pair(work, id=made.key.id))
    with pytest.raises(NotAllowed):
        house.read(BEN, lambda work: key_pairs.list_key_pairs(work, person="eve"))
    assert [each.id for each in house.read(SYSTEM, lambda work: key_pairs.list_key_pairs(work, person="eve"))] == [
        made.key.id
    ]


def test_no_table_and_no_event_holds_the_secret(house):
    made = make(house)

    def everything(connection):
        import sqlalchemy as sa

        found = sa.MetaData()
        found.reflect(connection.engine)
        return [str(row) for table in found.sorted_tables for row in connection.execute(sa.select(table))]

    told = house.database.read(everything)

    assert any(made.key.id in row for row in told)
    assert not any(made.secret in row for row in told)


def test_another_key_file_is_noticed_instead_of_refusing_right_signatures(house, tmp_path):
    made = make(house)
    house.keyring = Keyring(tmp_path / "another")

    with pytest.raises(Unavailable, match="has changed since"):
        who(house, made.key.id)


def test_the_key_file_is_private_and_read_again_after_a_restart(tmp_path):
    file = tmp_path / "key"

    first, second = Keyring(file).secret_of("AKMW"), Keyring(file).secret_of("AKMW")

    assert first == second
    assert first != Keyring(file).secret_of("AKMX")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_file_is_refused_and_not_replaced(tmp_path):
    file = tmp_path / "key"
    file.write_text("short\n")

    with pytest.raises(Unavailable, match="does not hold 32 bytes"):
        Keyring(file).secret_of("AKMW")

    assert file.read_text() == "short\n"
