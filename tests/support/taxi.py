"""A taxi company's house: an endpoint, a baseline and a monitor on it, trips to capture, and a clock set by hand."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from modelward.app import House, open_house
from modelward.sdk import Client
from modelward.sdk.transports import AppTransport
from modelward.settings import Settings

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KINDS = ("cash", "card", "voucher")


def trips(rows: int, *, seed: int = 1, fare: float = 12.0, missing: float = 0.0) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [
        {
            "fare": None if chance.random() < missing else round(max(0.5, chance.gauss(fare, 3)), 2),
            "riders": chance.randint(1, 4),
            "kind": chance.choice(KINDS),
        }
        for _ in range(rows)
    ]


def records(rows: list[dict[str, Any]], *, at: datetime = NOON, name: str = "trip") -> list[dict[str, Any]]:
    return [
        {
            "inference_id": f"{name}-{n}",
            "at": at + timedelta(seconds=n % 3000),
            "features": row,
            "prediction": n % 2,
            "probability": 0.5,
        }
        for n, row in enumerate(rows)
    ]


def prepare(client: Client, folder: Path, **monitor: Any) -> None:
    client.models.register("fares")
    client.versions.register("fares", artifact=b"model")
    client.endpoints.create("taxi", "fares@1")
    pq.write_table(pa.Table.from_pylist(trips(4000)), folder / "training.parquet")
    client.baselines.create("january", folder / "training.parquet", version="fares@1")
    client.baselines.wait("january", seconds_max=30)
    client.monitors.create("taxi-inputs", "taxi", "january", **monitor)


def look(client: Client, start: datetime = NOON, end: datetime | None = None, **options: Any) -> Any:
    run = client.monitors.run("taxi-inputs", start, end or start + timedelta(hours=1), **options)
    done = client.runs.wait(run.id, seconds_max=30)
    client.settle()
    return done


def names(client: Client, **which: Any) -> list[str]:
    return [event.name for event in reversed(client.events.list(limit=1000, **which))]


class Hands:
    """A clock that is set by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@contextlib.contextmanager
def house_with_clock(folder: Path, clock: Callable[[], datetime]) -> Iterator[tuple[House, Client]]:
    opened = open_house(Settings(home=folder))
    assert opened.worker is not None
    opened.workshop.clock = opened.worker.clock = clock
    opened.start()
    with Client(AppTransport(opened.asgi, on_close=opened.close), token=opened.home.owner_secret()) as client:
        yield opened, client


def turn(opened: House, clock: Hands, to: datetime) -> None:
    """Move the clock to a moment and wait until all that is due has been done."""
    clock.now = to
    assert opened.worker is not None
    opened.worker.wake()
    until = time.monotonic() + 30
    while not opened.worker.idle():
        assert time.monotonic() < until
        time.sleep(0.02)
