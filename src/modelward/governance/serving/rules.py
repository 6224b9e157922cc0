"""What an endpoint may be, and how a call to a model is read. Pure."""

from datetime import datetime
from typing import Any

import msgspec

from modelward import outbound
from modelward.kernel.errors import Conflict, Invalid

APPROVED = "approved"
LAPSED = "lapsed"
INSTANCES_MAX = 10_000

Features = dict[str, Any]


class NotCapturable(Conflict):
    """This call cannot be captured."""


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said of one row."""

    prediction: bool | int | float | str | None = None
    probability: float | None = None


def status_at(told: str, until: datetime | None, *, at: datetime) -> str:
    """The approval status of a served version at a moment: approved only while the evidence under it is not too old."""
    return LAPSED if told == APPROVED and until is not None and at > until else told


def check_share(share: float) -> None:
    """Refuse a share outside [0, 1].

    Raises:
        Invalid: the share is outside.
    """
    if not 0 <= share <= 1:
        raise Invalid(f"capture_share is {share}; it must be from 0 to 1.", field="capture_share")


def check_url(url: str) -> None:
    """Refuse an address that could never be called; an empty one means that the model is served elsewhere.

    Raises:
        Invalid: the address has no http or https scheme, holds a user, or has a host in a disguised spelling.
    """
    if url:
        outbound.parse(url)


def features_of(body: bytes) -> list[Features]:
    """Read the rows of a request to a model.

    Read are ``{"instances": [{...}]}``, ``{"dataframe_records": [{...}]}``, ``{"features": {...}}``, pandas' split
    form (alone or as ``dataframe_split``), a list of objects, and an object that is a row itself.

    Raises:
        NotCapturable: the body is none of these.
    """
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError as problem:
        raise NotCapturable(f"The request cannot be captured: it is not JSON ({problem}).", field="body") from problem
    rows = _rows(content)
    if not rows or len(rows) > INSTANCES_MAX:
        raise NotCapturable(f"The request holds {len(rows)} rows; from 1 to {INSTANCES_MAX} can be captured.")
    for row in rows:
        if not isinstance(row, dict):
            raise NotCapturable("The request cannot be captured: its rows are not JSON objects.", field="body")
    return rows


def _rows(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    if not isinstance(content, dict):
        raise NotCapturable("The request cannot be captured: it is neither a JSON object nor a list.", field="body")
    for key in ("instances", "dataframe_records"):
        if isinstance(content.get(key), list):
            return list(content[key])
    split = content.get("dataframe_split", content)
    if isinstance(split, dict) and isinstance(split.get("columns"), list) and isinstance(split.get("data"), list):
        return _split_rows(split["columns"], split["data"])
    features = content.get("features")
    return [features if isinstance(features, dict) else content]


def _split_rows(columns: list[Any], data: list[Any]) -> list[Any]:
    names = [str(name) for name in columns]
    if any(not isinstance(row, list) or len(row) != len(names) for row in data):
        raise NotCapturable("The request cannot be captured: a row has not as many values as there are columns.")
    return [dict(zip(names, row, strict=True)) for row in data]


def predictions_of(body: bytes, rows: int) -> list[Prediction]:
    """Read a model's answer to so many rows; what it does not tell of prediction and probability is left empty.

    Read are ``{"predictions": [...], "probabilities": [...]}``, a list, ``{"prediction": ..., "probability": ...}``
    and a plain value, where one prediction is a value or an object with ``prediction`` (or ``label``) and
    ``probability`` (or ``score``).
    """
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return [Prediction()] * rows
    chances: Any = None
    if isinstance(content, dict) and isinstance(content.get("predictions"), list):
        chances = content.get("probabilities")
        content = content["predictions"]
    found = content if isinstance(content, list) else [content]
    if len(found) != rows:
        return [Prediction()] * rows
    read = [_prediction(each) for each in found]
    if isinstance(chances, list) and len(chances) == rows:
        read = [
            msgspec.structs.replace(each, probability=_number(chance))
            for each, chance in zip(read, chances, strict=True)
        ]
    return read


def _prediction(value: Any) -> Prediction:
    if not isinstance(value, dict):
        return Prediction(prediction=_scalar(value))
    said = value.get("prediction", value.get("label"))
    return Prediction(prediction=_scalar(said), probability=_number(value.get("probability", value.get("score"))))


def _scalar(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
