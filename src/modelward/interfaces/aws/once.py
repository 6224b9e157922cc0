"""Carrying a change out once, however often the same request comes: answers are kept for who repeats it."""

import asyncio
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.sigv4 import Claim, Request
from modelward.storage import answers
from modelward.storage.answers import Answer, KeyUsedTwice
from modelward.storage.waiting import kept
from modelward.storage.work import Work, Workshop

WRITES_BETWEEN_TIDYING = 2_000
SAME_SECOND = 1.0
INVOCATION = re.compile(r"[!-~]{1,80}")


class Told(NamedTuple):
    """What was answered, in a form that can be kept."""

    status: int
    body: str
    kind: str
    headers: dict[str, str]


class SignedTwice(AwsError):
    """Another call has the same signature."""


class Once(NamedTuple):
    """By which key an answer is kept."""

    key: str
    request: str
    by_token: bool


def signed_once(claim: Claim, request: Request, told: str) -> Once | None:
    """How a request is known again by its signature; None for presigned addresses, which are made to be used again.

    Clients sign nothing that tells a retry from a second call in the same second, but they send it: with the same
    invocation id it is the same call, and gets the same answer.
    """
    if claim.presigned:
        return None
    given = request.headers.get("amz-sdk-invocation-id", "")
    invocation = given if INVOCATION.fullmatch(given) else ""
    return Once(key=f"aws-signature:{claim.signature}", request=f"{told}:{invocation}", by_token=False)


class Writer:
    """Submits changes to the one writer, and keeps what was answered."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop, self._writes = workshop, 0

    async def write(self, actor: Any, once: Once | None, task: Callable[[Work], Told]) -> Told:
        """Carry out a change, or tell what was answered when it was carried out.

        Raises:
            AwsError: the token was used for another request, or somebody repeats what was signed by another.
        """
        self._tidy()
        future = self._workshop.submit(actor, _guarded(once, task) if once else task)
        try:
            told: Told = await kept(future)
        except KeyUsedTwice as problem:
            assert once is not None
            if once.by_token:
                raise AwsError(
                    "ValidationException", "The client token was used before in a request with other parameters."
                ) from problem
            raise await _same_second() from problem
        return told

    def _tidy(self) -> None:
        self._writes += 1
        if self._writes % WRITES_BETWEEN_TIDYING == 0:
            now = self._workshop.clock()
            self._workshop.database.submit(lambda connection: answers.forget_old(connection, now=now))


def _guarded(once: Once, task: Callable[[Work], Told]) -> Callable[[Work], Told]:
    def run(work: Work) -> Told:
        actor = work.actor.id
        known = answers.find(work.connection, actor=actor, key=once.key, request=once.request)
        if known:
            return msgspec.json.decode(known.body, type=Told)
        told = task(work)
        given = Answer(status=told.status, body=msgspec.json.encode(told))
        answers.keep(work.connection, actor=actor, key=once.key, request=once.request, given=given, now=work.now)
        return told

    return run


async def _same_second() -> AwsError:
    # Either the client asks the same again within a second, or somebody else repeats what it signed. Only the client can
    # sign anew, and does so when it is told to wait; a second later its signature is another one.
    await asyncio.sleep(SAME_SECOND)
    return SignedTwice(
        "ThrottlingException", "The same request was made in this second and was carried out. Try again."
    )
