"""What happens to versions after they were registered, training runs and deployables, from Python."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from modelward.sdk.resources import Resource


class Stages(Resource):
    """Stages, metadata and withdrawal of versions and models."""

    def reach(self, version: str, stage: str, *, status: str, note: str = "") -> Any:
        """Say which stage a version has reached: ``reach("fraud@3", "Production", status="Approved")``."""
        return self._sender.put(_version(version, "stage"), {"stage": stage, "status": status, "note": note})

    def annotate(self, version: str, *, put: dict[str, str] | None = None, remove: list[str] | None = None) -> Any:
        """Put metadata on a version and take some off."""
        return self._sender.patch(_version(version, "metadata"), {"put": put or {}, "remove": remove or []})

    def tag(self, version: str, tags: dict[str, str]) -> Any:
        """Give a version these tags and no others."""
        return self._sender.put(_version(version, "tags"), {"tags": tags})

    def withdraw(self, version: str, *, reason: str = "") -> Any:
        """Withdraw a version that is not approved."""
        return self._sender.post(_version(version, "withdraw"), {"reason": reason})

    def withdraw_model(self, model: str, *, reason: str = "") -> Any:
        """Withdraw a model that has no versions in use."""
        return self._sender.post(f"/models/{quote(model, safe='')}/withdraw", {"reason": reason})


def _version(ref: str, what: str) -> str:
    return f"/versions/{quote(ref, safe='@')}/{what}"


class Trainings(Resource):
    """Training runs: what was trained elsewhere."""

    def record(self, name: str, **facts: Any) -> Any:
        """Record a run: ``state``, ``artifact_uri``, ``image``, ``algorithm``, ``hyperparameters``, ``metrics``,
        ``datasets`` (name -> address), ``role``, ``started_at``, ``ended_at``, ``failure_reason``.
        """
        return self._sender.post("/training-runs", {"name": name, "facts": facts})

    def get(self, name: str) -> Any:
        """A recorded run."""
        return self._sender.get(f"/training-runs/{quote(name, safe='')}")

    def list(self, text: str = "", *, state: str = "", artifact_uri: str = "") -> Iterator[Any]:
        """Recorded runs, the newest first."""
        return self._sender.each(
            "/training-runs", text=text or None, state=state or None, artifact_uri=artifact_uri or None
        )


class Deployables(Resource):
    """What is ready to be served."""

    def make(self, name: str, containers: list[dict[str, Any]]) -> Any:
        """Make a deployable of containers: each a dict of image, model_data, environment, hostname and version."""
        return self._sender.post("/deployables", {"name": name, "containers": containers})

    def get(self, name: str) -> Any:
        """A deployable."""
        return self._sender.get(f"/deployables/{quote(name, safe='')}")

    def list(self, text: str = "") -> Iterator[Any]:
        """Deployables, the newest first."""
        return self._sender.each("/deployables", text=text or None)

    def remove(self, name: str) -> Any:
        """Remove a deployable."""
        return self._sender.delete(f"/deployables/{quote(name, safe='')}")
