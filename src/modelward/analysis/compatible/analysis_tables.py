"""The table that an analysis configuration speaks of: CSV with or without headers, JSON lines, JSON by path, Parquet."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import UNSET

from modelward.analysis.compatible.bias_analysis import columns_meant
from modelward.analysis.compatible.texts import Chosen, Data, TextTable, read_texts
from modelward.analysis.formats.analysis_config import AnalysisConfig
from modelward.analysis.formats.captures import text_of
from modelward.analysis.formats.layout import content_of
from modelward.kernel.errors import Invalid, NotImplementedYet

CSV, JSON, JSON_LINES, PARQUET = "text/csv", "application/json", "application/jsonlines", "application/x-parquet"
_STEP = re.compile(r"([A-Za-z_]\w*|\"[^\"]+\")?((?:\[(?:\*|\d+)\])*)")


def analysis_table(config: AnalysisConfig, data: Data, *, asking: bool = True) -> tuple[AnalysisConfig, TextTable]:
    """Read the data of an analysis as texts; paths in the configuration become the names of the columns they lead to.

    ``asking``: a model will be asked, so that all columns are read; else just those that the configuration needs.

    Raises:
        NotFound: there is no such file.
        Invalid: the file is not what the configuration says.
        NotImplementedYet: image data, captures, or a path that is more than names and brackets.
    """
    if not isinstance(data, str | Path):
        return config, read_texts(data, chosen=_needed(config, asking))
    if config.dataset_type in (JSON, JSON_LINES) and config.features is not UNSET:
        content = content_of(Path(data))
        lines = content.splitlines() if config.dataset_type == JSON_LINES else [content]
        return table_by_paths(config, [_json(line, str(data)) for line in lines if line.strip()])
    if config.dataset_type not in (CSV, JSON_LINES, PARQUET):
        raise NotImplementedYet(
            f"Data of type {config.dataset_type!r} cannot be analyzed yet.",
            field="dataset_type",
            hint=f"Give {CSV}, {JSON_LINES}, {PARQUET}, or {JSON} with features.",
        )
    table = read_texts(data, header=config.headers is UNSET, chosen=_needed(config, asking))
    return config, table if config.headers is UNSET else _with_headers(table, config.headers)


def _needed(config: AnalysisConfig, asking: bool) -> Chosen | None:
    """The columns that the bias metrics look at; None for all."""
    meant = None if asking else columns_meant(config)
    if meant is None:
        return None
    wanted = {str(one) for one in meant}
    places = {one for one in meant if isinstance(one, int)}
    headers = [] if config.headers is UNSET else config.headers

    def chosen(names: list[str]) -> list[str]:
        known = headers or names
        return [
            name for place, name in enumerate(names) if place in places or (place < len(known) and known[place] in wanted)
        ]  # fmt: skip

    return chosen


def _with_headers(table: TextTable, headers: list[str]) -> TextTable:
    if len(headers) != len(table.names):
        raise Invalid(f"headers names {len(headers)} columns, the data has {len(table.names)}.", field="headers")
    return table.renamed(headers)


def _json(content: bytes, name: str) -> Any:
    try:
        return json.loads(content)
    except ValueError as problem:
        raise Invalid(f"{name} is no JSON: {problem}.", field=name) from problem


def table_by_paths(config: AnalysisConfig, documents: list[Any]) -> tuple[AnalysisConfig, TextTable]:
    """Take features, label and predicted label out of JSON documents by their paths, such as ``instances[*].features``.

    ``headers`` name the features and then the label; a predicted label is the column after them.

    Raises:
        Invalid: a path leads nowhere, or the parts have unequal numbers of rows.
    """
    assert config.features is not UNSET
    features = [row for document in documents for row in _rows(document, config.features)]
    if len({len(row) for row in features}) != 1:
        raise Invalid("The rows of features do not have equal numbers of values.", field="features")
    parts: list[list[Any]] = [list(column) for column in zip(*features, strict=True)]
    names = [f"column_{place}" for place in range(len(parts))] if config.headers is UNSET else list(config.headers)
    named: dict[str, str] = {}
    for setting, fallback in (("label", "label"), ("predicted_label", "predicted_label")):
        path = getattr(config, setting)
        if isinstance(path, str) and path not in names[: len(parts)]:
            parts.append([value for document in documents for value in _listed(found(document, path))])
            names += [fallback] if len(names) < len(parts) else []
            named[setting] = names[len(parts) - 1]
    if len({len(part) for part in parts}) > 1 or len(parts) != len(names):
        raise Invalid("Features, labels and headers do not have equal numbers of rows or columns.", field="features")
    arrays = {
        name: pa.array([text_of(value) for value in part], pa.string()) for name, part in zip(names, parts, strict=True)
    }
    return msgspec.structs.replace(config, **named), read_texts(pa.table(arrays))


def _rows(document: Any, path: str) -> list[list[Any]]:
    rows = _listed(found(document, path))
    return rows if rows and isinstance(rows[0], list) else [rows]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def found(document: Any, path: str) -> Any:
    """Follow a path of names and brackets (the part of JMESPath that is used in configurations).

    Raises:
        NotImplementedYet: the path holds more than that.
        Invalid: the path leads nowhere.
    """
    name, _, rest = path.partition(".")
    step = _STEP.fullmatch(name)
    if step is None:
        raise NotImplementedYet(f"The path {path!r} holds more than names and brackets.", field=path)
    value = document
    try:
        if step[1]:
            value = value[step[1].strip('"')]
        brackets = re.findall(r"\[(\*|\d+)\]", step[2])
        for place, bracket in enumerate(brackets):
            if bracket == "*":
                further = "".join(f"[{one}]" for one in brackets[place + 1 :]) + (f".{rest}" if rest else "")
                return [found(one, further.lstrip(".")) if further else one for one in value]
            value = value[int(bracket)]
    except (KeyError, IndexError, TypeError) as problem:
        raise Invalid(f"The path {path!r} leads nowhere in the data.", field=path) from problem
    return found(value, rest) if rest else value
