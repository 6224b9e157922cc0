"""Webhooks, from Python; and for the side that receives them, the check that a delivery is genuine."""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from modelward.kernel.errors import NotAllowed
from modelward.sdk.resources import Resource

TOLERANCE_SECONDS = 300
SECRET_PREFIX = "whsec_"


class Webhooks(Resource):
    """Addresses that are told of events."""

    def add(self, name: str, url: str, events: list[str], *, secret: str | None = None) -> Any:
        """Have an address told of events from now on; the answer holds the secret, this once."""
        return self._sender.post("/webhooks", {"name": name, "url": url, "events": events, "secret": secret})

    def list(self) -> Any:
        """The webhooks in the order of their names."""
        return self._sender.get("/webhooks")

    def events(self) -> Any:
        """The names of the events that can be sent, each with its sentence."""
        return self._sender.get("/webhooks/events")

    def get(self, name: str) -> Any:
        """A webhook: its address and events, and how sending goes."""
        return self._sender.get(_path(name))

    def change(self, name: str, **changes: Any) -> Any:
        """Change url or events, or switch it off or on with ``enabled``."""
        return self._sender.patch(_path(name), changes)

    def renew_secret(self, name: str) -> Any:
        """Make a new secret; the one before signs beside it for a day."""
        return self._sender.post(f"{_path(name)}/secret")

    def remove(self, name: str) -> Any:
        """Remove a webhook."""
        return self._sender.delete(_path(name))

    def test(self, name: str) -> Any:
        """Have a test sent; the answer is the delivery, to be looked at again."""
        return self._sender.post(f"{_path(name)}/test")

    def deliveries(self, name: str, *, state: str | None = None) -> Iterator[Any]:
        """The deliveries of a webhook, the newest first; ``state`` is waiting, delivered or failed."""
        return self._sender.each(f"{_path(name)}/deliveries", state=state)

    def delivery(self, delivery: str) -> Any:
        """A delivery: how often it was sent, and what was last answered."""
        return self._sender.get(f"/webhook-deliveries/{quote(delivery, safe='')}")

    def redeliver(self, delivery: str) -> Any:
        """Have a delivery sent once more, under the same id."""
        return self._sender.post(f"/webhook-deliveries/{quote(delivery, safe='')}/again")


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: str,
    now: float | None = None,
    tolerance: int = TOLERANCE_SECONDS,
) -> str:
    """Check, as the one who receives it, that a delivery was signed with the secret lately; returns its id.

    Keep the ids that were dealt with: a delivery may come more than once, each time under the same id.

    Raises:
        NotAllowed: a header is missing, the time is more than ``tolerance`` seconds off, or no signature fits.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        id, seconds, signed = given["webhook-id"], int(given["webhook-timestamp"]), given["webhook-signature"]
    except (KeyError, ValueError) as problem:
        raise NotAllowed("The delivery lacks webhook-id, webhook-timestamp or webhook-signature.") from problem
    if abs((time.time() if now is None else now) - seconds) > tolerance:
        raise NotAllowed("The delivery is too old, or the clocks differ.", field="webhook-timestamp")
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX)) if secret.startswith(SECRET_PREFIX) else secret.encode()
    wanted = base64.b64encode(hmac.new(key, f"{id}.{seconds}.".encode() + body, hashlib.sha256).digest())
    fits = [hmac.compare_digest(b"v1," + wanted, each.encode()) for each in signed.split(" ")]
    if not any(fits):
        raise NotAllowed("No signature of the delivery fits the secret.", field="webhook-signature")
    return id


def _path(name: str) -> str:
    return f"/webhooks/{quote(name, safe='')}"
