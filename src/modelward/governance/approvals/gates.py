"""The approval policy: TOML to a policy, and which one is in force. What it asks for is judged in checks.py."""

import hashlib
import tomllib
from functools import lru_cache
from importlib import resources

import msgspec

from modelward.governance.approvals import checks, store
from modelward.governance.approvals.entities import Policy, PolicyInForce
from modelward.kernel import codec
from modelward.kernel.errors import Invalid, Unavailable
from modelward.kernel.refs import Digest
from modelward.storage.work import Work

POLICY_CHARACTERS_MAX = 100_000


def default_text() -> str:
    """The policy that comes with Modelward."""
    return resources.files("modelward.governance.approvals").joinpath("policy.toml").read_text("utf-8")


def digest_of(text: str) -> Digest:
    """The SHA-256 of a policy's text."""
    return Digest("sha256:" + hashlib.sha256(text.encode()).hexdigest())


def parse(text: str, *, source: str) -> Policy:
    """Read a policy.

    Raises:
        Invalid: it is not TOML, has an unknown field, or names a check or a persona that does not exist.
    """
    if len(text) > POLICY_CHARACTERS_MAX:
        raise Invalid(f"The policy {source} has {len(text)} characters; at most {POLICY_CHARACTERS_MAX} are read.")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise Invalid(f"The policy {source} is not TOML: {problem}.", field="policy") from problem
    policy = codec.convert(content, Policy, field=f"policy {source}")
    for number, each in enumerate(policy.checks):
        if each.check not in checks.CHECKS:
            raise Invalid(
                f"The policy {source} asks for {each.check[:80]!r}; known checks are {', '.join(sorted(checks.CHECKS))}.",
                field=f"policy.checks[{number}].check",
            )
    return policy


@lru_cache(maxsize=8)
def _parsed(text: str) -> Policy:
    # Kept texts were parsed before they were adopted.
    return msgspec.convert(tomllib.loads(text), Policy)


def in_force(work: Work) -> PolicyInForce:
    """The policy adopted last.

    Raises:
        Unavailable: none was adopted yet, which happens at the start of the house.
    """
    found = store.find_policy(work)
    if found is None:
        raise Unavailable("No approval policy is in force yet.", hint="Start Modelward once on this database.")
    digest, source, text, at = found
    return PolicyInForce(policy=_parsed(text), digest=digest, source=source, text=text, at=at)
