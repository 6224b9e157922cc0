"""A key that was revoked opens nothing afterwards, whatever was read while it was revoked."""

from typing import NamedTuple

from modelward.interfaces.identity import Identity
from modelward.kernel.actors import NOBODY
from support.workshops import ANA


class Told(NamedTuple):
    name: str


class Reading:
    """A workshop whose read takes its time: the key is revoked while it goes on."""

    def __init__(self):
        self.found, self.meanwhile = ANA, lambda: None

    def read(self, _actor, _task):
        found = self.found
        self.meanwhile()
        return found


def test_a_read_that_began_before_the_revocation_is_not_remembered_after_it():
    reading = Reading()
    identity = Identity(reading)

    def revoke():
        reading.found = None
        identity.forget([Told("TokenRevoked")])

    reading.meanwhile = revoke
    identity.by_token("secret")
    reading.meanwhile = lambda: None

    assert identity.by_token("secret") is NOBODY


def test_an_answer_is_remembered_for_a_moment_while_access_stays_as_it_is():
    reading = Reading()
    identity = Identity(reading)
    identity.by_token("secret")
    reading.found = None

    assert identity.by_token("secret") is ANA
    identity.forget([Told("CardEdited")])
    assert identity.by_token("secret") is ANA
    identity.forget([Told("PersonDisabled")])
    assert identity.by_token("secret") is NOBODY
