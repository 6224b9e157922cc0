"""Upkeep through the client: stored bytes that nothing refers to."""

import time
from typing import Any

from modelward.kernel.errors import Unavailable
from modelward.sdk.resources import Resource


class Blobs(Resource):
    """The stored bytes."""

    def unreferenced(self) -> Any:
        """How many blobs and bytes nothing refers to, and how many of them a collection would delete now."""
        return self._sender.get("/blobs/unreferenced")

    def collect(self, *, take_over: str = "", seconds_max: float = 600) -> Any:
        """Have what is due deleted now, and wait until that is done; the event that tells of it.

        ``take_over`` says why the store is to be that of this installation alone from now on, where a collection was refused.

        Raises:
            Unavailable: it has not ended after ``seconds_max``.
        """
        asked = self._sender.post("/blobs/collections", {"take_over": take_over})
        until = time.monotonic() + seconds_max
        while True:
            found = self._sender.get("/events", subject=asked.id, name="BlobsCollected")
            if found:
                return found[0].detail
            if time.monotonic() > until:
                raise Unavailable(f"The collection {asked.id} has not ended after {seconds_max} s.")
            time.sleep(0.05)
