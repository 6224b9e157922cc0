"""How good predicted numbers are: mean errors, explained variance, quantile loss, with intervals, from sums of one pass."""

import math
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from modelward.analysis.buffers import fixed_width, is_text, pieces, valid_mask
from modelward.analysis.quality.shapes import Metric, QualityReport
from modelward.analysis.sources import Source, batches_of
from modelward.kernel.errors import Invalid

Values: TypeAlias = Any


def regression_report(source: Source, label: str, prediction: str, quantile: float | None = None) -> QualityReport:
    """Compare predicted with observed numbers; see ``quality_report``.

    Raises:
        NotFound: a file or a column does not exist.
        Invalid: texts where numbers are needed, or a quantile outside of 0 to 1.
    """
    if quantile is not None and not 0 < quantile < 1:
        raise Invalid(f"The quantile {quantile!r} does not lie between 0 and 1.", field="quantile")
    sums, rows = _Sums(quantile), 0
    columns = list(dict.fromkeys([label, prediction]))
    for batch in batches_of(source, columns, ahead=True):
        rows += batch.num_rows
        observed, guessed = (_numbers(batch.column(columns.index(name)), name) for name in (label, prediction))
        for piece in pieces(observed.size):
            y, guess = observed[piece], guessed[piece]
            there = np.isfinite(y) & np.isfinite(guess)
            sums.add(y, guess) if there.all() else sums.add(y[there], guess[there])
    incomplete = rows - sums.rows
    notes = (f"{incomplete} of {rows} rows lack a finite label or prediction and are left out.",) if incomplete else ()
    return QualityReport(
        problem_type="regression",
        label=label,
        prediction=prediction,
        probability=None,
        positive=None,
        rows=rows,
        incomplete=incomplete,
        metrics=sums.metrics(),
        notes=notes,
    )


class _Sums:
    """Sums over rows, of errors and of labels less the mean of the first rows, which keeps their powers small."""

    def __init__(self, quantile: float | None) -> None:
        self.quantile = quantile
        self.rows = 0
        self.middle = 0.0
        self.errors = np.zeros(4)
        self.labels = np.zeros(4)
        self.joint = np.zeros(2)
        self.pinball = np.zeros(2)
        self.shares = np.zeros(2)
        self.zeros = 0

    def add(self, y: Values, guess: Values) -> None:
        """Take complete rows."""
        if not y.size:
            return
        if not self.rows:
            self.middle = float(y.mean())
        self.rows += y.size
        error, apart = guess - y, y - self.middle
        square, other = error * error, apart * apart
        self.errors += (np.abs(error).sum(), square.sum(), error.sum(), _dot(square, square))
        self.labels += (apart.sum(), other.sum(), _dot(other, apart), _dot(other, other))
        self.joint += (_dot(square, apart), _dot(square, other))
        self._add_shares(np.abs(error), np.abs(y))
        if self.quantile is not None:
            loss = np.maximum(-self.quantile * error, (1 - self.quantile) * error)
            self.pinball += (loss.sum(), _dot(loss, loss))

    def _add_shares(self, error: Values, size: Values) -> None:
        """Take errors as shares of their labels, until a label is 0: an error has no share of it."""
        self.zeros += size.size - int(np.count_nonzero(size))
        if self.zeros == 0:
            with np.errstate(over="ignore"):
                share = error / size
                self.shares += (share.sum(), _dot(share, share))

    def metrics(self) -> dict[str, Metric]:
        """Read the metrics."""
        names = ["mae", "mape", "mse", "rmse", "r2", "mean_error", "mse_best_constant"]
        names += ["quantile_loss"] if self.quantile is not None else []
        if self.rows == 0:
            return {name: Metric(value=None, reason="There is no complete row.") for name in names}
        mae, mse, mean_error, fourth = (float(value) / self.rows for value in self.errors)
        squared = self._around(mse, fourth - mse * mse)
        least, most = (
            (None, None) if squared.low is None or squared.high is None else (max(0.0, squared.low), squared.high)
        )
        constant, r2 = self._explained(mse, fourth)
        found = {
            "mae": self._around(mae, mse - mae * mae),
            "mape": self._shared(),
            "mse": Metric(value=mse, low=least, high=most, reason=squared.reason),
            "rmse": Metric(value=math.sqrt(mse), low=_root(least), high=_root(most), reason=squared.reason),
            "r2": r2,
            "mean_error": self._around(mean_error, mse - mean_error * mean_error),
            "mse_best_constant": constant,
        }
        if self.quantile is not None:
            loss, squares = (float(value) / self.rows for value in self.pinball)
            found["quantile_loss"] = self._around(loss, squares - loss * loss)
        return found

    def _shared(self) -> Metric:
        """The mean of the errors as shares of their labels."""
        if self.zeros:
            return Metric(value=None, reason="A label is 0, and no error is a share of it.")
        share, squares = (float(value) / self.rows for value in self.shares)
        if not math.isfinite(share):
            return Metric(value=None, reason="A label lies too near to 0.")
        around = self._around(share, squares - share * share) if math.isfinite(squares) else Metric(value=share)
        return Metric(value=share, low=None if around.low is None else max(0.0, around.low), high=around.high)

    def _around(self, value: float, variance: float) -> Metric:
        if self.rows == 1:
            return Metric(value=value, reason="One row has no interval.")
        half = 1.96 * math.sqrt(max(0.0, variance) / self.rows)
        return Metric(value=value, low=value - half, high=value + half)

    def _explained(self, mse: float, fourth: float) -> tuple[Metric, Metric]:
        """The variance of the labels, which is the error of their mean, and r2 with the interval of the delta method."""
        first, second, third, fourth_label = (float(value) / self.rows for value in self.labels)
        variance = second - first * first
        # Far less than rounding leaves of equal labels.
        if variance <= 1e-14 * max(second, self.middle * self.middle):
            return Metric(value=0.0, low=0.0, high=0.0), Metric(value=None, reason="All labels are equal.")
        around_mean = fourth_label - 4 * first * third + 6 * first * first * second - 3 * first**4
        joint = float(self.joint[1]) / self.rows - 2 * first * float(self.joint[0]) / self.rows + first * first * mse
        of_variance = around_mean - variance * variance
        together = joint - mse * variance
        share = mse / variance
        spread = (fourth - mse * mse - 2 * share * together + share * share * of_variance) / (variance * variance)
        r2 = self._around(1 - share, spread)
        return self._around(variance, of_variance), Metric(value=r2.value, low=r2.low, high=min(1.0, r2.high or 1.0))


def _root(value: float | None) -> float | None:
    return None if value is None else math.sqrt(value)


def _dot(left: Values, right: Values) -> float:
    return float(np.einsum("i,i->", left, right))


def _numbers(array: Any, column: str) -> Values:
    kind = array.type
    if not (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    ):
        held = "texts" if is_text(getattr(kind, "value_type", kind)) else str(kind)
        raise Invalid(f"Column {column!r} holds {held}; a regression report needs numbers.", field=column)
    numbers = array.cast(pa.float64())
    mask = valid_mask(numbers)
    values = fixed_width(numbers, np.float64)
    return values if mask is None else np.where(mask, values, np.nan)
