"""A fitted model that answers: named columns or JSON rows in, probabilities or values out. No training here."""

import math
import pickle
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelward.kernel.errors import Invalid

Numbers: TypeAlias = npt.NDArray[np.float64]
FeatureType: TypeAlias = Literal["boolean", "integer", "number", "string"]
Features: TypeAlias = tuple[tuple[str, FeatureType], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Predictor:
    """A fitted estimator and how named columns become the matrix that it takes.

    A text becomes the number of its level; a level that training did not know, and a value that lacks, become NaN.
    """

    features: Features
    levels: Mapping[str, tuple[str, ...]]
    threshold: float | None
    """From this probability on, a classifier says 1. None for a regression."""
    estimator: Any
    """The scikit-learn object."""

    def predict(self, table: pa.Table) -> Numbers:
        """For each row the probability of a 1, or the value itself for a regression. One vectorised pass."""
        return self._infer(self.matrix(table))

    def matrix(self, table: pa.Table) -> Numbers:
        """The features of a table as the estimator takes them."""
        return np.column_stack([self._column(table[name], name, kind) for name, kind in self.features])

    def predict_instances(self, instances: Sequence[Mapping[str, object]]) -> Numbers:
        """The same for rows that came as JSON objects.

        A value may be null, but not absent or of another type. An integer may have a fraction, for whoever explains a
        model by averages.
        """
        matrix = np.empty((len(instances), len(self.features)))
        for place, (name, kind) in enumerate(self.features):
            codes = self._codes(name)
            matrix[:, place] = [_number(row, (name, kind), codes, at) for at, row in enumerate(instances)]
        return self._infer(matrix)

    def decide(self, probability: Numbers) -> npt.NDArray[np.int8]:
        """The 0 or 1 that follows from each probability."""
        if self.threshold is None:
            raise Invalid("A regression predicts values and decides nothing.", hint="Use `predict`.")
        return (probability >= self.threshold).astype(np.int8)

    def scored(self, table: pa.Table) -> pa.Table:
        """The table with `prediction` and, for a classifier, `probability` added."""
        output = self.predict(table)
        if self.threshold is None:
            return table.append_column("prediction", pa.array(output))
        decided = table.append_column("prediction", pa.array(self.decide(output)))
        return decided.append_column("probability", pa.array(output))

    def artifact(self) -> bytes:
        """The model as a file: a pickled dictionary that needs scikit-learn, and nothing of Modelward, to be read."""
        content = {
            "features": self.features,
            "levels": dict(self.levels),
            "threshold": self.threshold,
            "estimator": self.estimator,
        }
        return pickle.dumps(content, protocol=5)

    def _infer(self, matrix: Numbers) -> Numbers:
        if self.threshold is None:
            return np.asarray(self.estimator.predict(matrix), dtype=np.float64)
        return np.asarray(self.estimator.predict_proba(matrix)[:, 1], dtype=np.float64)

    def _column(self, column: pa.ChunkedArray, name: str, kind: FeatureType) -> Numbers:
        if kind != "string":
            # Arrow casts no boolean to a float, but to an integer.
            plain = column.cast(pa.int8()) if kind == "boolean" else column
            return np.asarray(plain.cast(pa.float64()).to_numpy(), dtype=np.float64)
        coded = column.combine_chunks().dictionary_encode()
        codes = self._codes(name)
        numbers = np.array([*(codes.get(level, np.nan) for level in coded.dictionary.to_pylist()), np.nan])
        return np.asarray(numbers[pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy()], dtype=np.float64)

    def _codes(self, name: str) -> dict[str, float]:
        return {level: float(code) for code, level in enumerate(self.levels.get(name, ()))}


def _number(row: Mapping[str, object], feature: tuple[str, FeatureType], codes: Mapping[str, float], at: int) -> float:
    """One value of one JSON row as the estimator takes it; `Invalid` names the row and the column."""
    name, kind = feature
    where = f"instances[{at}].{name}"
    if name not in row:
        raise Invalid(f"The instance lacks {name}.", field=where, hint="Send every feature; null is allowed.")
    value = row[name]
    if value is None:
        return float("nan")
    if kind == "string" and isinstance(value, str):
        return codes.get(value, float("nan"))
    if kind == "boolean" and isinstance(value, bool):
        return float(value)
    if kind in ("integer", "number") and isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value, where)
    raise Invalid(f"{name} is a {kind}, not {reprlib.repr(value)}.", field=where)


def _finite(value: int | float, where: str) -> float:
    """A whole number may be as long as JSON likes, and a float may overflow; the estimators take neither."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Invalid("The number is too large.", field=where)
    return number
