"""Lineage, from Python."""

from typing import Any
from urllib.parse import quote

from modelward.sdk.resources import Resource


class Lineage(Resource):
    """The graph of what was made from what."""

    def get(self, node: str, *, depth: int = 3) -> Any:
        """The nodes and edges around a thing: ``fraud@3``, ``endpoint:fraud``, ``dataset:flights`` ..."""
        return self._sender.get(f"/lineage/{quote(node, safe='@:')}", depth=depth)
