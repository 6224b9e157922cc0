"""Key pairs, by which AWS clients sign their requests, over REST."""

from modelward.governance.access import key_pairs as use_cases
from modelward.governance.access.entities import KeyPair, NewKeyPair
from modelward.governance.access.permissions import Permission
from modelward.interfaces.rest.access import MakeToken
from modelward.interfaces.rest.operations import Operations
from modelward.storage.work import Work

key_pairs = Operations("access")


@key_pairs.operation("POST", "/people/{person}/keys", permission=Permission.SELF_READ, status=201, secret=True)
def make_key_pair(work: Work, person: str, body: MakeToken) -> NewKeyPair:
    """Make a key pair for AWS clients; its secret is in this answer and never shown again."""
    return use_cases.make_key_pair(work, person=person, label=body.label, days_valid=body.days_valid)


@key_pairs.operation("GET", "/people/{person}/keys", permission=Permission.SELF_READ)
def list_key_pairs(work: Work, person: str) -> list[KeyPair]:
    """List the key pairs of a person, without their secrets."""
    return use_cases.list_key_pairs(work, person=person)


@key_pairs.operation("POST", "/keys/{key}/revoke", permission=Permission.SELF_READ)
def revoke_key_pair(work: Work, key: str) -> KeyPair:
    """End a key pair at once."""
    return use_cases.revoke_key_pair(work, id=key)
