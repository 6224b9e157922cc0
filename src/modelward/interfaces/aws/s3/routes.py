"""How an operation on buckets and objects is declared: method, level, query, permission and a function."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.interfaces.aws.errors import AwsError
from modelward.interfaces.aws.s3.bodies import CHECKSUM, Received, receive_object
from modelward.interfaces.aws.sigv4 import ChunkSigner
from modelward.interfaces.http import PermissionMissing, Receive
from modelward.kernel.actors import Actor
from modelward.storage.work import Work, Workshop

T = TypeVar("T")
Level = Literal["service", "bucket", "object"]
Run = Callable[[Callable[[], Any]], Awaitable[Any]]
DOCUMENT_BYTES_MAX = 2 << 20
# Parts of every request that say nothing of what is asked for.
ALWAYS = frozenset({"x-id"})


class Answer(NamedTuple):
    """What goes back; a body in pieces has its length among the headers."""

    status: int = 200
    body: bytes | Iterator[bytes] = b""
    kind: str = "application/xml"
    headers: Mapping[str, str] = {}


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request that has been let in."""

    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    actor: Actor
    region: str
    signer: ChunkSigner | None
    receive: Receive
    workshop: Workshop
    run: Run
    """Runs something that may take long in a thread."""
    once: Callable[["Ask", str, Callable[[Work], Answer]], Awaitable[Answer]]
    """Carries out a change once, however often the same signed request comes."""

    async def read(self, task: Callable[[Work], T]) -> T:
        """Read on one snapshot."""
        if self.workshop.database.dialect == "sqlite":
            return self.workshop.read(self.actor, task)
        found: T = await self.run(lambda: self.workshop.read(self.actor, task))
        return found

    async def write(self, task: Callable[[Work], Answer], *, told: str = "") -> Answer:
        """Change something in one transaction; ``told`` is the digest of the body."""
        return await self.once(self, told, task)

    async def content(self) -> Received:
        """The body of an upload, checked."""
        return await receive_object(self.receive, self.headers, self.signer)

    async def document(self, *, of_parts: bool = False) -> bytes:
        """A body that is a document of bounded size, checked. Where it is ``of_parts``, sums tell of the object they make."""
        headers = {name: value for name, value in self.headers.items() if not (of_parts and name.startswith(CHECKSUM))}
        received = await receive_object(self.receive, headers, self.signer, bytes_max=DOCUMENT_BYTES_MAX)
        with received.file:
            return b"".join(received.chunks())

    def number(self, name: str, *, default: int, most: int) -> int:
        """A number in the query.

        Raises:
            AwsError: InvalidArgument, it is none.
        """
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isdecimal() and text.isascii() and len(text) < 10):
            raise AwsError("InvalidArgument", f"Provided {name} not an integer or within integer range")
        return min(int(text), most)


Handler = Callable[[Ask], Awaitable[Answer]]


class Route(NamedTuple):
    """One operation."""

    name: str
    method: str
    level: Level
    needs: frozenset[str]
    takes: frozenset[str]
    permission: Permission
    handler: Handler
    marked: str


class Routes:
    """The operations of a file, gathered by decorator."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def operation(
        self,
        name: str,
        method: str,
        level: Level,
        *,
        permission: Permission,
        needs: tuple[str, ...] = (),
        takes: tuple[str, ...] = (),
        marked: str = "",
    ) -> Callable[[Handler], Handler]:
        """Declare an operation: which query parameters it needs and which it takes; no others are let pass.

        ``marked`` names a header by whose presence it is chosen.

        Raises:
            PermissionMissing: no permission was given.
        """
        if not isinstance(permission, Permission):
            raise PermissionMissing(f"s3 {name} has no permission: every operation declares one.")

        def declare(handler: Handler) -> Handler:
            self.all.append(Route(name, method, level, frozenset(needs), frozenset(takes), permission, handler, marked))
            return handler

        return declare


def find(routes: list[Route], *, method: str, level: Level, query: dict[str, str], headers: dict[str, str]) -> Route:
    """The operation that a request asks for.

    Raises:
        AwsError: NotImplemented; status 400, for clients repeat what is answered with 5xx.
    """
    given = {name for name in query if name not in ALWAYS and not name.lower().startswith("x-amz-")}
    fits = [
        route
        for route in routes
        if (route.method, route.level) == (method, level)
        and route.needs <= given <= route.needs | route.takes
        and (not route.marked or route.marked in headers)
    ]
    if not fits:
        asked = f"{method} {level}" + "".join(f" ?{name[:40]}" for name in sorted(given))
        raise AwsError("NotImplemented", f"A request you sent implies functionality that is not served here: {asked}")
    return max(fits, key=lambda route: (bool(route.marked), len(route.needs)))


def executor_runner(threads: Executor) -> Run:
    """Runs things in threads of a pool."""
    import asyncio

    async def run(task: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(threads, task)

    return run
