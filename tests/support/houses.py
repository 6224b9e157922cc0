"""A whole Modelward in this process, asked as over HTTP but without a port."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelward import settings
from modelward.app import House, open_house
from modelward.sdk import Client
from modelward.sdk.transports import AppTransport


class Answer(NamedTuple):
    """A response, with its body read."""

    status: int
    headers: dict[str, str]
    body: Any


class Visitor:
    """Somebody who sends requests to a house: the owner, unless another token (or none) is given."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.transport = AppTransport(house.asgi, on_close=lambda: None)
        self.secret = house.home.owner_secret()

    def client(self, token: str | None = None) -> Client:
        """The Python client of somebody."""
        return Client(self.transport, token=token or self.secret)

    def ask(self, method: str, path: str, body: Any = b"", *, token: str | None = None, **headers: str) -> Answer:
        """Send one request and return what came back, error or not."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        secret = self.secret if token is None else token
        sent = {"authorization": f"Bearer {secret}"} if secret else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.transport.send(method, path, {**sent, **named}, content)
        try:
            told = msgspec.json.decode(response.body) if response.body else None
        except msgspec.DecodeError:
            told = response.body
        return Answer(response.status, response.headers, told)

    def new_token(self, person: str, persona: str) -> str:
        """Let somebody in, and return their token."""
        self.client().people.add(person, persona=persona)
        return str(self.client().people.make_token(person)["secret"])


@contextmanager
def visitor_of(folder: Path, *, works: bool = True, **chosen: Any) -> Iterator[Visitor]:
    """Open a house on a folder for a while and visit it; one that does not work runs no job."""
    house = open_house(settings.load({}, home=folder, **chosen), works=works)
    house.start()
    visitor = Visitor(house)
    try:
        yield visitor
    finally:
        visitor.transport.close()
        house.close()
