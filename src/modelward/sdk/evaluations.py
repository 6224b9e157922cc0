"""Evaluations of versions, from Python."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from modelward.kernel.errors import Unavailable
from modelward.sdk.registry import Artifacts
from modelward.sdk.resources import Resource

PAUSE_SECONDS_MIN = 0.05
PAUSE_SECONDS_MAX = 2.0


class Evaluations(Resource):
    """Evaluations: the evidence on a version."""

    def request(self, version: str, kind: str, dataset: bytes | str | Path, **settings: Any) -> Any:
        """Ask for a quality or bias evaluation on a table: a file, bytes, or the digest of bytes sent before.

        Settings for quality: ``problem_type``, ``label``, ``prediction``, ``probability``, ``positive``, ``limits``; for
        bias: ``label``, ``prediction``, ``facets``, ``facet_value``, ``favourable``, ``threshold``, ``group``.
        """
        digest = dataset
        if not isinstance(dataset, str) or not dataset.startswith("sha256:"):
            digest = Artifacts(self._sender).store(dataset)["digest"]
        body = {"kind": kind, "dataset": digest, "settings": settings}
        return self._sender.post(f"/versions/{quote(version, safe='@')}/evaluations", body)

    def get(self, ref: str) -> Any:
        """An evaluation: how far it is, its outcome and its measures."""
        return self._sender.get(f"/evaluations/{quote(ref, safe='')}")

    def list(self, version: str) -> Iterator[Any]:
        """The evaluations of a version, the newest first."""
        return self._sender.each(f"/versions/{quote(version, safe='@')}/evaluations")

    def wait(self, ref: str, *, seconds_max: float = 300) -> Any:
        """The evaluation once it has finished or failed.

        Raises:
            Unavailable: it has not ended after ``seconds_max``.
        """
        until, pause = time.monotonic() + seconds_max, PAUSE_SECONDS_MIN
        while (found := self.get(ref))["state"] not in ("finished", "failed"):
            if time.monotonic() > until:
                raise Unavailable(f"{ref} is still {found['state']} after {seconds_max:g} seconds.")
            time.sleep(pause)
            pause = min(pause * 1.5, PAUSE_SECONDS_MAX)
        return found

    def report(self, ref: str) -> Any:
        """The whole report of a finished evaluation."""
        return self._sender.get(f"/evaluations/{quote(ref, safe='')}/report")
