"""The registry operations as HTTP requests of Modelward and of MLflow, side by side, on the same ten thousand models."""

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

FIELDS = ("churn", "credit", "demand", "fraud", "image", "price", "ranking", "route", "scoring", "text")
KINDS = ("baseline", "boosted", "champion", "deep", "linear", "nightly", "pilot", "regional")
LIST_SIZE = 100
SEARCH_HITS = 10
WRITES = ("create version", "create model", "set tag")
OPERATIONS = ("get model", *WRITES, "list first 100", "search name substring")


class Request(NamedTuple):
    """An operation at one peer: templates that are filled with a model's name, a needle and a text never used before."""

    method: str
    path: str
    body: dict[str, Any] | None = None


def model_name(number: int) -> str:
    """The name of one of the models, such as fraud-linear-00042."""
    return f"{FIELDS[number % 10]}-{KINDS[number // 10 % 8]}-{number:05d}"


def needle(number: int) -> str:
    """A piece of a name that ten models have: the number without its last digit."""
    return f"-{number // 10:04d}"


MODELWARD = {
    "get model": Request("GET", "/api/v1/models/%(model)s"),
    "create version": Request(
        "POST", "/api/v1/models/%(model)s/versions", {"description": "", "tags": {"run": "%(new)s"}}
    ),
    "create model": Request("POST", "/api/v1/models", {"name": "made-%(new)s"}),
    "set tag": Request("PATCH", "/api/v1/models/%(model)s", {"tags": {"stage": "%(new)s"}}),
    "list first 100": Request("GET", f"/api/v1/models?limit={LIST_SIZE}"),
    "search name substring": Request("GET", f"/api/v1/models?text=%(needle)s&limit={LIST_SIZE}"),
}
_MLFLOW = "/api/2.0/mlflow"
MLFLOW = {
    "get model": Request("GET", _MLFLOW + "/registered-models/get?name=%(model)s"),
    "create version": Request(
        "POST", _MLFLOW + "/model-versions/create",
        {"name": "%(model)s", "source": "s3://models/%(new)s", "tags": [{"key": "run", "value": "%(new)s"}]},
    ),
    "create model": Request("POST", _MLFLOW + "/registered-models/create", {"name": "made-%(new)s"}),
    "set tag": Request("POST", _MLFLOW + "/registered-models/set-tag", {"name": "%(model)s", "key": "stage", "value": "%(new)s"}),
    "list first 100": Request("GET", _MLFLOW + f"/registered-models/search?max_results={LIST_SIZE}"),
    "search name substring": Request(
        "GET", _MLFLOW + f"/registered-models/search?max_results={LIST_SIZE}&filter=name%%20LIKE%%20%%27%%25%(needle)s%%25%%27"
    ),
}  # fmt: skip


def written(request: Request, *, models: int, prefix: str, headers: dict[str, str]) -> Iterator[bytes]:
    """The bytes of one request after another, for ever: models in a random order that is the same at every peer."""
    chance = random.Random(7)
    fixed = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    body_template = json.dumps(request.body) if request.body is not None else ""
    for count in itertools.count():
        number = chance.randrange(models)
        values = {"model": model_name(number), "needle": needle(number), "new": f"{prefix}{count}"}
        body = body_template % values
        about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        head = f"{request.method} {request.path % values} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fixed}{about}\r\n"
        yield (head + body).encode()


def check_answer(operation: str, answer: dict[str, Any]) -> None:
    """Both peers must have done the same thing.

    Raises:
        AssertionError: the answer is not that of this operation.
    """
    if "error" in answer or "error_code" in answer:
        raise AssertionError(f"{operation}: {answer}")
    wanted = {"list first 100": LIST_SIZE, "search name substring": SEARCH_HITS}.get(operation)
    listed = answer.get("items", answer.get("registered_models")) or []
    if wanted is not None and len(listed) != wanted:
        raise AssertionError(f"{operation}: {len(listed)} of {wanted} models")
