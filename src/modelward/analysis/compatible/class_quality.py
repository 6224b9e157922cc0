"""The probabilities of several classes from a table of texts: the most probable class, and a report in Modelward's own shape.

The hosted service's files have no place for what probabilities say of several classes, so that is a file of its own.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from modelward.analysis.compatible.text_columns import NumberColumn
from modelward.analysis.compatible.texts import Data, read_texts
from modelward.analysis.quality.report import quality_report
from modelward.kernel import codec
from modelward.kernel.errors import Invalid

QUALITY = "quality.json"


def most_probable(columns: Mapping[str, str], scores: Mapping[str, Any]) -> Any:
    """The class of each row whose probability is largest; of equals the first."""
    names = np.array(list(columns))
    return names[np.stack([scores[column] for column in columns.values()], axis=1).argmax(axis=1)]


def class_quality_file(
    data: Data, *, label: str, prediction: str | None, columns: Mapping[str, str], header: bool, classes: Any
) -> dict[str, bytes]:
    """quality.json: losses, areas, calibration and figures by class, with intervals. ``classes``: texts as classes.

    Raises:
        NotFound, Invalid: as ``quality_report``; or texts where probabilities are needed.
    """
    table = read_texts(data, header=header)
    named: dict[str, Any] = {}
    for name in dict.fromkeys(one for one in (label, prediction) if one is not None):
        column = table.of(name)
        named[name] = _picked(classes(column), column.codes)
    for name in columns.values():
        column = table.of(name)
        if isinstance(column, NumberColumn):
            named[name] = column.array.cast(pa.float64(), safe=False)
            continue
        try:
            numbers = [float(text) for text in column.texts]
        except ValueError as problem:
            raise Invalid(
                f"Column {name!r} holds texts that are no probabilities: {problem}.", field="probability"
            ) from problem
        named[name] = _picked(numbers, column.codes)
    report = quality_report(
        pa.table(named), problem_type="multiclass", label=label, prediction=prediction, probability=columns
    )
    return {QUALITY: codec.encode(report)}


def _picked(known: list[Any], codes: Any) -> Any:
    values = pa.array(known)
    return values.take(pa.array(codes, mask=codes < 0)) if len(known) else pa.nulls(len(codes))
