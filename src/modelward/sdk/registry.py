"""Models, versions and artifacts, from Python."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from modelward.kernel.errors import NotFound
from modelward.sdk.resources import Resource

CHUNK_BYTES = 1 << 20


class Models(Resource):
    """Registered models."""

    def register(self, name: str, *, description: str = "", owner: str = "", tags: dict[str, str] | None = None) -> Any:
        """Register a model."""
        return self._sender.post(
            "/models", {"name": name, "description": description, "owner": owner, "tags": tags or {}}
        )

    def get(self, name: str) -> Any:
        """A model by name."""
        return self._sender.get(f"/models/{quote(name, safe='')}")

    def list(self, text: str = "") -> Iterator[Any]:
        """All models, or those whose name or description holds the text."""
        return self._sender.each("/models", text=text or None)

    def describe(self, name: str, **changes: Any) -> Any:
        """Change description, owner or tags."""
        return self._sender.patch(f"/models/{quote(name, safe='')}", changes)


class Versions(Resource):
    """Versions of models."""

    def register(
        self,
        model: str,
        *,
        artifact: bytes | str | Path | None = None,
        facts: dict[str, Any] | None = None,
        trained: Any = None,
        description: str = "",
        tags: dict[str, str] | None = None,
    ) -> Any:
        """Register the next version of a model. The artifact is bytes, a file, or the digest of bytes sent before.

        ``trained`` is the model in memory, or the path of an ONNX file, a Hugging Face folder, or an MLflow run or model:
        what it tells of itself is registered, and ``facts`` overrule it.
        """
        if trained is not None:
            from modelward.sdk.training import facts_of

            facts = {**facts_of(trained).for_version(), **(facts or {})}
        digest = artifact
        if isinstance(artifact, bytes | Path) or (isinstance(artifact, str) and not artifact.startswith("sha256:")):
            digest = Artifacts(self._sender).store(artifact)["digest"]
        body = {"artifact": digest, "facts": facts or {}, "description": description, "tags": tags or {}}
        return self._sender.post(f"/models/{quote(model, safe='')}/versions", body)

    def get(self, ref: str) -> Any:
        """A version, such as ``fraud@3``."""
        return self._sender.get(f"/versions/{quote(ref, safe='@')}")

    def list(self, model: str) -> Iterator[Any]:
        """The versions of a model, the newest first."""
        return self._sender.each(f"/models/{quote(model, safe='')}/versions")


class Artifacts(Resource):
    """The bytes of models, by digest."""

    def store(self, artifact: bytes | str | Path, *, name: str = "") -> Any:
        """Send bytes or a file; the answer holds the digest."""
        if isinstance(artifact, bytes):
            return self._sender.upload("/artifacts", artifact, name=name or None)
        path = Path(artifact)
        if not path.is_file():
            raise NotFound(f"There is no file {path}.", field="artifact")
        return self._sender.upload("/artifacts", _pieces(path), name=name or path.name)

    def get(self, digest: str) -> Any:
        """What is known of an artifact."""
        return self._sender.get(f"/artifacts/{quote(digest, safe=':')}")

    def read(self, digest: str) -> bytes:
        """The bytes of an artifact."""
        return self._sender.download(f"/artifacts/{quote(digest, safe=':')}/content")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
