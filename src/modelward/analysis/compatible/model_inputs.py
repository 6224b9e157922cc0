"""What a model is asked about: the columns that it takes, their rows, the rows of a baseline, the labels it predicts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from modelward.analysis.attribution.asking import Rows
from modelward.analysis.compatible.bias_analysis import column_of
from modelward.analysis.compatible.bias_columns import numbers_of
from modelward.analysis.compatible.kinds import TextKind, count_kinds
from modelward.analysis.compatible.predictors import Predictor
from modelward.analysis.compatible.texts import TextColumn, TextTable, read_texts
from modelward.analysis.formats.analysis_config import DEFAULT_PROBABILITY_THRESHOLD, AnalysisConfig
from modelward.kernel.errors import Invalid, NotFound, NotImplementedYet

BASELINE_FIELD = "methods.shap.baseline"


def feature_columns(config: AnalysisConfig, table: TextTable) -> list[TextColumn]:
    """The columns that a model is asked with: all but the label, the predicted label and what is excluded.

    Raises:
        Invalid: none is left.
    """
    excluded = [] if config.excluded_columns is UNSET else config.excluded_columns
    named = (config.label, config.predicted_label, config.joinsource_name_or_index, *excluded)
    without = {column_of(table, one).name for one in named if one is not UNSET}
    columns = [column for column in table.columns if column.name not in without]
    if not columns:
        raise Invalid("No column is left to ask a model with.", field="excluded_columns")
    return columns


def rows_of(columns: Sequence[TextColumn], *, as_written: bool) -> Rows:
    """The columns as rows: numbers where all are numbers, else (or ``as_written``) whole numbers, numbers and texts."""
    kinds = [count_kinds(column) for column in columns]
    if not as_written and all(kind.numeric for kind in kinds):
        return np.stack([numbers_of(column) for column in columns], axis=1)
    rows = np.empty((columns[0].rows, len(columns)), object)
    for place, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        known: list[Any] = list(column.texts)
        if kind.numeric:
            known = [int(_number(text)) if kind.kind is TextKind.INTEGRAL else _number(text) for text in column.texts]
        rows[:, place] = np.array([*known, None], object)[column.codes]
    return rows


def _number(text: str) -> float:
    return float(text.replace(" ", ""))


def given_rows(baseline: Any, columns: Sequence[TextColumn], kind: Any) -> Rows:
    """The rows of a baseline: a list of rows, a row, objects by name, or a local file; typed as the columns are.

    Raises:
        Invalid: it does not fit the columns.
        NotFound: there is no such file.
        NotImplementedYet: it lies on another machine.
    """
    names = [column.name for column in columns]
    listed = _baseline_rows(baseline, names)
    if not listed or any(len(row) != len(names) for row in listed):
        raise Invalid(
            f"The baseline needs rows of {len(names)} values: {', '.join(names[:10])}{' ...' * (len(names) > 10)}.",
            field=BASELINE_FIELD,
        )
    if np.dtype(kind) != np.dtype(object):
        try:
            return np.array(listed, np.float64)
        except (TypeError, ValueError) as problem:
            raise Invalid(f"The baseline holds what is no number: {problem}.", field=BASELINE_FIELD) from None
    typed = np.empty((len(listed), len(names)), object)
    for place, column in enumerate(columns):
        is_of = count_kinds(column).kind
        for number, row in enumerate(listed):
            typed[number, place] = _typed(row[place], is_of, column.name)
    return typed


def _typed(value: Any, kind: TextKind, name: str) -> Any:
    if value is None or (not isinstance(value, int | float | str)):
        raise Invalid(f"The baseline holds {value!r} for {name!r}.", field=BASELINE_FIELD)
    if kind not in (TextKind.INTEGRAL, TextKind.FRACTIONAL):
        return str(value)
    try:
        number = float(value)
    except ValueError:
        raise Invalid(f"The baseline holds {value!r} for {name!r}, no number.", field=BASELINE_FIELD) from None
    return int(number) if kind is TextKind.INTEGRAL and number.is_integer() else number


def _baseline_rows(baseline: Any, names: list[str]) -> list[list[Any]]:
    if isinstance(baseline, str):
        return _baseline_file(baseline, names)
    listed = baseline if isinstance(baseline, list) else [baseline]
    if listed and not isinstance(listed[0], list | dict):
        listed = [listed]
    rows = []
    for row in listed:
        if isinstance(row, dict):
            missing = [name for name in names if name not in row]
            if missing:
                raise Invalid(f"The baseline lacks {', '.join(missing[:10])}.", field=BASELINE_FIELD)
            rows.append([row[name] for name in names])
        else:
            rows.append(list(row))
    return rows


def _baseline_file(place: str, names: list[str]) -> list[list[Any]]:
    path = place.removeprefix("file://")
    if "://" in path:
        raise NotImplementedYet(
            f"The baseline {place!r} is on another machine and is not fetched.",
            field=BASELINE_FIELD,
            hint="Name a local file, or write the rows into the configuration.",
        )
    if not Path(path).is_file():
        raise NotFound(f"There is no file {path!r}.", field=BASELINE_FIELD)
    headed = path.endswith((".csv", ".csv.gz")) and _first_line(path) == names
    table = read_texts(path, header=headed or not path.endswith((".csv", ".csv.gz")))
    columns = [column_of(table, name) for name in names] if table.named else table.columns
    return [list(row) for row in rows_of(columns, as_written=True).tolist()]


def _first_line(path: str) -> list[str]:
    return [column.name for column in read_texts(path).columns]


def predicted_labels(
    config: AnalysisConfig, table: TextTable, predictor: Predictor
) -> tuple[AnalysisConfig, TextTable]:
    """Ask for the predicted labels and put them beside the data, as a last column named in ``predicted_label``.

    One score is cut: above ``probability_threshold`` (0.5) it is 1. Of several scores the label header of the largest is
    the label. Anything that is no score is taken as the label itself.

    Raises:
        Invalid: several scores without as many label headers.
    """
    columns = feature_columns(config, table)
    rows = rows_of(columns, as_written=predictor.as_written)
    names = [column.name for column in columns]
    steps = range(0, len(rows), predictor.batch_rows)
    answers = [one for at in steps for one in predictor.ask(rows[at : at + predictor.batch_rows], names)]
    cut = (
        config.probability_threshold
        if isinstance(config.probability_threshold, float)
        else DEFAULT_PROBABILITY_THRESHOLD
    )
    texts = [_label(answer, cut, predictor) for answer in answers]
    known = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    name = "predicted_label"
    while any(column.name == name for column in table.columns):
        name = f"_{name}"
    added = TextColumn(name=name, texts=list(known), codes=np.array([known[text] for text in texts], np.int64))
    return msgspec.structs.replace(config, predicted_label=name), table.beside(added)


def _label(answer: Any, cut: float, predictor: Predictor) -> str:
    listed = np.atleast_1d(np.asarray(answer, object)).tolist()
    headers = predictor.settings.label_headers
    if len(listed) > 1:
        if headers is UNSET or len(headers) != len(listed):
            raise Invalid(
                f"The model gives {len(listed)} scores for a row: label_headers must name as many.",
                field="predictor.label_headers",
            )
        return headers[int(np.argmax(np.asarray(listed, np.float64)))]
    value = listed[0]
    if isinstance(value, str):
        return value
    return "1" if float(value) > cut else "0"
