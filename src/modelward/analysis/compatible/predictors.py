"""Asking a model as the ``predictor`` block of analysis_config.json says: bodies by template, answers by path. No transport.

Bodies are CSV, JSON lines or JSON; templates know ``$features``, ``$feature_names``, ``$features_kvp``, ``$record``,
``$records`` and ``"${name}"``.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from modelward.analysis.attribution.asking import Floats, Predict, Rows
from modelward.analysis.compatible.analysis_tables import CSV, JSON, JSON_LINES, found
from modelward.analysis.formats.analysis_config import AnalysisConfig
from modelward.analysis.formats.layout import shaped
from modelward.kernel.errors import Invalid, NotImplementedYet

Post: TypeAlias = Callable[[bytes, str, str], bytes]
"""Sends a body with a content type and a wanted type of the answer; returns the answer."""
Answers: TypeAlias = list[list[Any]]

LINES_TEMPLATE = '{"features":$features}'
REQUEST_ROWS = 8_192
ONE_BY_ONE_ROWS = 256


class PredictorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the ``predictor`` block says about bodies and answers; who is asked is said elsewhere."""

    content_type: str = CSV
    accept_type: str | UnsetType = UNSET
    content_template: str | UnsetType = UNSET
    record_template: str | UnsetType = UNSET
    label: str | int | UnsetType = UNSET
    probability: str | int | UnsetType = UNSET
    label_headers: list[str] | UnsetType = UNSET

    @property
    def accepts(self) -> str:
        """The wanted type of the answer."""
        return self.content_type if self.accept_type is UNSET else self.accept_type


class Predictor(msgspec.Struct, frozen=True, kw_only=True):
    """Something to ask. ``ask`` takes rows and the names of their columns and gives a line of outputs for each row.

    ``as_written``: it is asked with whole numbers and texts as they stand in the data; else with a matrix of numbers
    where all columns are numbers. ``batch_rows``: most rows of one question.
    """

    ask: Callable[[Rows, Sequence[str]], Any]
    as_written: bool = False
    batch_rows: int = 65_536
    settings: PredictorSettings = PredictorSettings()


def predictor_settings(block: Any) -> PredictorSettings:
    """Read the ``predictor`` block.

    Raises:
        Invalid: it has another shape, or a template without what it must hold.
        NotImplementedYet: bodies of another type.
    """
    known = {name: value for name, value in (block or {}).items() if name in PredictorSettings.__struct_fields__}
    settings = shaped(known, PredictorSettings, "predictor")
    for name, kind in (("content_type", settings.content_type), ("accept_type", settings.accepts)):
        if kind not in (CSV, JSON, JSON_LINES):
            raise NotImplementedYet(
                f"Models that speak {kind!r} cannot be asked yet.",
                field=f"predictor.{name}",
                hint=f"Serve {CSV}, {JSON_LINES} or {JSON}.",
            )
    whole = "" if settings.content_template is UNSET else settings.content_template
    if settings.content_type == JSON and ("$record" not in whole or settings.record_template is UNSET):
        raise Invalid(
            "JSON bodies need a content_template with $record or $records, and a record_template.",
            field="predictor.content_template",
            hint='For example {"instances":$records} with {"features":$features}.',
        )
    if settings.content_type == JSON_LINES and whole and "$features" not in whole:
        raise Invalid("The content_template of JSON lines must hold $features.", field="predictor.content_template")
    return settings


def posting(post: Post, settings: PredictorSettings) -> Predictor:
    """A predictor that sends bodies.

    Raises (when asked):
        Invalid: the answer is not what the settings say.
    """

    def ask(rows: Rows, names: Sequence[str]) -> Any:
        answers: Answers = []
        for body, count in bodies(settings, rows, names):
            lines = outputs(settings, post(body, settings.content_type, settings.accepts))
            if len(lines) != count:
                raise Invalid(f"The model gave {len(lines)} answers to {count} records.", field="predictor")
            answers += lines
        return answers

    one_by_one = settings.content_type == JSON and "$records" not in str(settings.content_template)
    batch = ONE_BY_ONE_ROWS if one_by_one else REQUEST_ROWS
    return Predictor(ask=ask, as_written=True, batch_rows=batch, settings=settings)


def as_predictor(given: Predictor | Predict | None, config: AnalysisConfig) -> Predictor | None:
    """A predictor as it is; a function with what the ``predictor`` block says about its labels."""
    if given is None or isinstance(given, Predictor):
        return given
    function, block = given, config.predictor
    headers = block.get("label_headers", UNSET) if isinstance(block, dict) else UNSET

    def ask(rows: Rows, names: Sequence[str]) -> Any:
        return function(rows)

    return Predictor(ask=ask, settings=PredictorSettings(label_headers=headers))


def bodies(settings: PredictorSettings, rows: Rows, names: Sequence[str]) -> list[tuple[bytes, int]]:
    """The bodies that ask about some rows, each with how many it asks about."""
    lists = rows.tolist()
    if settings.content_type == CSV:
        target = io.StringIO()
        csv.writer(target, lineterminator="\n").writerows(lists)
        return [(target.getvalue().encode(), len(lists))]
    if settings.content_type == JSON_LINES:
        template = LINES_TEMPLATE if settings.content_template is UNSET else settings.content_template
        return [("\n".join(_record(template, names, row) for row in lists).encode(), len(lists))]
    assert settings.content_template is not UNSET
    assert settings.record_template is not UNSET
    records = [_record(settings.record_template, names, row) for row in lists]
    if "$records" in settings.content_template:
        return [(settings.content_template.replace("$records", f"[{','.join(records)}]").encode(), len(records))]
    return [(settings.content_template.replace("$record", record).encode(), 1) for record in records]


def _record(template: str, names: Sequence[str], row: list[Any]) -> str:
    """One record. The names of values come first, so that no value is taken for a placeholder."""
    parts = {f'"${{{name}}}"': value for name, value in zip(names, row, strict=True)}
    parts |= {"$features_kvp": dict(zip(names, row, strict=True)), "$feature_names": list(names), "$features": row}
    pieces = [(template, False)]
    for placeholder, value in parts.items():
        filled = json.dumps(value)
        pieces = [
            cut
            for text, done in pieces
            for cut in ([(text, True)] if done else _cut(text, placeholder, filled))
        ]  # fmt: skip
    return "".join(text for text, _ in pieces)


def _cut(text: str, placeholder: str, filled: str) -> list[tuple[str, bool]]:
    parts: list[tuple[str, bool]] = []
    for place, piece in enumerate(text.split(placeholder)):
        parts += ([(filled, True)] if place else []) + [(piece, False)]
    return parts


def outputs(settings: PredictorSettings, answer: bytes) -> Answers:
    """The outputs of each record: the probability where the settings name one, else the label, else all there is.

    Raises:
        Invalid: the answer cannot be read, or the path leads nowhere.
    """
    chosen = settings.probability if settings.probability is not UNSET else settings.label
    try:
        text = answer.decode()
        if settings.accepts == CSV:
            lines = [[_cell(cell) for cell in line] for line in csv.reader(io.StringIO(text)) if line]
            return [_flat(line if chosen is UNSET else line[int(chosen)]) for line in lines]
        if settings.accepts == JSON_LINES:
            documents = [json.loads(line) for line in text.splitlines() if line.strip()]
            return [_flat(one if chosen is UNSET else found(one, str(chosen))) for one in documents]
        document = json.loads(text)
        values = document if chosen is UNSET else found(document, str(chosen))
        return [_flat(one) for one in (values if isinstance(values, list) else [values])]
    except (UnicodeDecodeError, ValueError, IndexError, csv.Error) as problem:
        raise Invalid(
            f"The answer of the model is not what the configuration says: {problem}. It begins: {answer[:80]!r}.",
            field="predictor",
        ) from problem


def _cell(text: str) -> Any:
    stripped = text.strip()
    if stripped.startswith("["):
        return json.loads(stripped)
    try:
        return float(stripped)
    except ValueError:
        return stripped


def _flat(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [one for part in value for one in _flat(part)]
    if isinstance(value, dict):
        raise ValueError(f"an object with {', '.join(list(value)[:5])}; name what to take in label or probability")
    return [value]


def numbers(answers: Any) -> Floats:
    """Outputs as numbers.

    Raises:
        Invalid: some are none, or there are not equally many for each record.
    """
    try:
        return np.asarray(answers, np.float64)
    except (TypeError, ValueError) as problem:
        raise Invalid(
            f"The model answered with something that is no number: {problem}.",
            field="predictor",
            hint="Name where the score stands in predictor.probability.",
        ) from problem
