"""Ten thousand models, put into Modelward through its API and into MLflow through its own store.

Each has the tag `stage`, so that setting it replaces a value: MLflow answers 400 when two clients add the same new tag.
"""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import httpx

from benchmarks.registry_requests import model_name

SENDERS = 16

# Runs in MLflow's environment: its classes make the schema and the rows, in one transaction instead of 10,000 requests.
_INTO_MLFLOW = """
import sys
from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModel, SqlRegisteredModelTag
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

store = SqlAlchemyStore(sys.argv[1])
names = sys.stdin.read().split()
with store.ManagedSessionMaker() as session:
    session.add_all([SqlRegisteredModel(name=name, last_updated_time=1) for name in names])
    session.flush()
    session.add_all([SqlRegisteredModelTag(name=name, key="stage", value="first") for name in names])
"""


def fill_mlflow(python: Path, database: Path, *, models: int) -> float:
    """Make a filled SQLite database of MLflow and return the seconds it took."""
    began = time.perf_counter()
    names = "\n".join(model_name(number) for number in range(models))
    done = subprocess.run(
        [str(python), "-c", _INTO_MLFLOW, f"sqlite:///{database}"], input=names, text=True, capture_output=True
    )
    if done.returncode:
        sys.exit(f"MLflow's store could not be filled: {done.stderr[-600:]}")
    return time.perf_counter() - began


def fill_modelward(port: int, headers: dict[str, str], *, models: int) -> float:
    """Register the models over HTTP and return the seconds it took."""
    began = time.perf_counter()
    asyncio.run(_register_all(port, headers, models))
    return time.perf_counter() - began


async def _register_all(port: int, headers: dict[str, str], models: int) -> None:
    numbers = iter(range(models))
    limits = httpx.Limits(max_connections=SENDERS)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, limits=limits, timeout=60
    ) as client:

        async def send() -> None:
            for number in numbers:
                (
                    await client.post("/models", json={"name": model_name(number), "tags": {"stage": "first"}})
                ).raise_for_status()

        await asyncio.gather(*(send() for _ in range(SENDERS)))
