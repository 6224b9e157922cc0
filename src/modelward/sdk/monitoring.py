"""Baselines, monitors and runs, from Python."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from modelward.kernel.clock import timestamp
from modelward.kernel.errors import Unavailable
from modelward.sdk.records import Record
from modelward.sdk.registry import Artifacts
from modelward.sdk.resources import Resource

PAUSE_SECONDS_MIN = 0.02
PAUSE_SECONDS_MAX = 2.0


def _path(kind: str, name: str) -> str:
    return f"/{kind}/{quote(name, safe='')}"


def _when(given: datetime | str) -> str:
    return timestamp(given) if isinstance(given, datetime) else given


def _wait(ask: Callable[[], Any], busy: tuple[str, ...], *, what: str, seconds_max: float) -> Any:
    until, pause = time.monotonic() + seconds_max, PAUSE_SECONDS_MIN
    while (found := ask())["state"] in busy:
        if time.monotonic() > until:
            raise Unavailable(f"{what} is still {found['state']} after {seconds_max:g} seconds.")
        time.sleep(pause)
        pause = min(pause * 1.5, PAUSE_SECONDS_MAX)
    return found


class Baselines(Resource):
    """What data looked like when all was well."""

    def create(
        self,
        name: str,
        dataset: bytes | str | Path,
        *,
        version: str | None = None,
        columns: list[str] | None = None,
    ) -> Any:
        """Make a baseline of a data set: a file, bytes, or the digest of bytes sent before. See ``wait``."""
        digest = dataset
        if not isinstance(dataset, str) or not dataset.startswith("sha256:"):
            digest = Artifacts(self._sender).store(dataset)["digest"]
        return self._sender.post(
            "/baselines", {"name": name, "dataset": digest, "version": version, "columns": columns}
        )

    def get(self, name: str) -> Any:
        """A baseline by name."""
        return self._sender.get(_path("baselines", name))

    def list(self) -> Iterator[Any]:
        """All baselines."""
        return self._sender.each("/baselines")

    def constraints(self, name: str) -> Any:
        """The constraints of a baseline: as they were suggested, or as somebody changed them."""
        return self._sender.get(f"{_path('baselines', name)}/constraints")

    def set_constraints(
        self, name: str, constraints: Mapping[str, Any], *, note: str = "", replaces: str | None = None
    ) -> Any:
        """Change the constraints of a baseline; the next runs of its monitors are judged by them.

        ``constraints`` are all of them: change ``baselines.constraints(name).to_dict()``. ``replaces``: the digest of those
        you read (``get(name).constraints``); the change is refused if somebody else has made one since.
        """
        given = constraints.to_dict() if isinstance(constraints, Record) else dict(constraints)
        body = {"constraints": given, "note": note, "replaces": replaces}
        return self._sender.put(f"{_path('baselines', name)}/constraints", body)

    def wait(self, name: str, *, seconds_max: float = 300) -> Any:
        """The baseline once it is ready or has failed.

        Raises:
            Unavailable: it is still being prepared after ``seconds_max``.
        """
        return _wait(lambda: self.get(name), ("preparing",), what=name, seconds_max=seconds_max)


class Monitors(Resource):
    """What watches endpoints."""

    def create(self, name: str, endpoint: str, baseline: str, **settings: Any) -> Any:
        """Watch an endpoint; settings: ``cron``, ``zone``, ``window_hours`` (None: since the last slot), ``lag_minutes``.

        ``false_alarms_a_month`` is a budget of drift alarms by chance, for which runs are also judged together;
        ``segments`` names up to three columns by whose values groups are compared apart.
        """
        return self._sender.post("/monitors", {"name": name, "endpoint": endpoint, "baseline": baseline, **settings})

    def get(self, name: str) -> Any:
        """A monitor by name."""
        return self._sender.get(_path("monitors", name))

    def list(self, *, endpoint: str | None = None) -> Iterator[Any]:
        """All monitors, or those of an endpoint."""
        return self._sender.each("/monitors", endpoint=endpoint)

    def change(self, name: str, **changes: Any) -> Any:
        """Change settings; ``enabled=False`` pauses."""
        return self._sender.patch(_path("monitors", name), changes)

    def remove(self, name: str) -> Any:
        """End a monitor; its runs stay."""
        return self._sender.delete(_path("monitors", name))

    def run(self, name: str, start: datetime | str, end: datetime | str, *, again: bool = False) -> Any:
        """Look at a window now. Answers at once with the run; see ``wait``."""
        body = {"start": _when(start), "end": _when(end), "again": again}
        return self._sender.post(f"{_path('monitors', name)}/runs", body)

    def wait(self, run: str, *, seconds_max: float = 300) -> Any:
        """The run once it has finished or failed.

        Raises:
            Unavailable: it has not ended after ``seconds_max``.
        """
        return Runs(self._sender).wait(run, seconds_max=seconds_max)

    def runs(self, name: str) -> Iterator[Any]:
        """The runs of a monitor, the latest window first."""
        return self._sender.each(f"{_path('monitors', name)}/runs")

    def series(self, name: str, **which: Any) -> Any:
        """Figures over time; by ``column``, ``measure``, ``start``, ``end``, ``limit``."""
        return self._sender.get(f"{_path('monitors', name)}/series", **which)

    def alert_rule(self, name: str) -> Any:
        """When this monitor alerts."""
        return self._sender.get(f"{_path('monitors', name)}/alert-rule")

    def set_alert_rule(self, name: str, *, runs_failed: int = 1, runs_judged: int = 1, severity: str = "medium") -> Any:
        """Alert when so many of the last decided runs failed."""
        body = {"runs_failed": runs_failed, "runs_judged": runs_judged, "severity": severity}
        return self._sender.put(f"{_path('monitors', name)}/alert-rule", body)


class Runs(Resource):
    """Comparisons of windows with baselines."""

    def get(self, run: str) -> Any:
        """A run by its id."""
        return self._sender.get(_path("runs", run))

    def report(self, run: str) -> Any:
        """All that a run found."""
        return self._sender.get(f"{_path('runs', run)}/report")

    def wait(self, run: str, *, seconds_max: float = 300) -> Any:
        """The run once it has finished or failed.

        Raises:
            Unavailable: it has not ended after ``seconds_max``.
        """
        return _wait(lambda: self.get(run), ("waiting", "running"), what=run, seconds_max=seconds_max)
