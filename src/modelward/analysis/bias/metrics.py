"""The bias metrics as formulas over one table of counts. No reading, no judgement; see bias.py.

The table has the axes (..., group, label, prediction, condition): group 0 is everyone else (a), group 1 is the group that
is looked at (d); label and prediction 1 are favourable; leading axes hold bootstrap samples. Formulas and names are those
of the public documentation of Amazon SageMaker Clarify; ``divide`` follows its convention that 0/0 is 0.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Table: TypeAlias = npt.NDArray[Any]
Values: TypeAlias = Any
Stage: TypeAlias = Literal["pre_training", "post_training"]


def divide(above: Values, below: Values) -> Values:
    """Quotient where 0/0 is 0 and x/0 is infinite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((above == 0) & (below == 0), 0.0, np.asarray(above) / np.asarray(below))


def minus(left: Values, right: Values) -> Values:
    """Difference where infinity minus infinity is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(left) & (left == right), 0.0, left - right)


class Cells:
    """Named sums of the table: ``n``, ``label``, ``predicted`` and the confusion counts, each indexed by group."""

    def __init__(self, table: Table) -> None:
        self.table = table
        flat = table.sum(axis=-1)
        self.n = flat.sum(axis=(-1, -2))
        self.tp, self.fn = flat[..., 1, 1], flat[..., 1, 0]
        self.fp, self.tn = flat[..., 0, 1], flat[..., 0, 0]
        self.label_1, self.label_0 = self.tp + self.fn, self.fp + self.tn
        self.predicted_1, self.predicted_0 = self.tp + self.fp, self.fn + self.tn

    def label_shares(self) -> tuple[Values, Values]:
        """Shares of (not favourable, favourable) labels in group a and in group d, on the last axis."""
        both = np.stack((divide(self.label_0, self.n), divide(self.label_1, self.n)), axis=-1)
        return both[..., 0, :], both[..., 1, :]


def _gap(values: Values) -> Values:
    return minus(values[..., 0], values[..., 1])


def _ci(c: Cells) -> Values:
    return divide(c.n[..., 0] - c.n[..., 1], c.n[..., 0] + c.n[..., 1])


def _dpl(c: Cells) -> Values:
    return _gap(divide(c.label_1, c.n))


def _divergence(p: Values, q: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((p > 0) & (q > 0), p * np.log(p / q), 0.0).sum(axis=-1)


def _kl(c: Cells) -> Values:
    return _divergence(*c.label_shares())


def _js(c: Cells) -> Values:
    a, d = c.label_shares()
    middle = (a + d) / 2
    return (_divergence(a, middle) + _divergence(d, middle)) / 2


def _lp(c: Cells) -> Values:
    a, d = c.label_shares()
    return np.sqrt(((a - d) ** 2).sum(axis=-1))


def _tvd(c: Cells) -> Values:
    a, d = c.label_shares()
    return np.abs(a - d).sum(axis=-1) / 2


def _ks(c: Cells) -> Values:
    a, d = c.label_shares()
    return np.abs(a - d).max(axis=-1)


def _conditional_disparity(by_outcome: Table) -> Values:
    """CDD over (..., group, outcome, condition): each condition weighs with its rows."""
    rejected, accepted = by_outcome[..., 0, :], by_outcome[..., 1, :]
    rows = by_outcome.sum(axis=(-3, -2))
    each = divide(rejected[..., 1, :], rejected.sum(axis=-2)) - divide(accepted[..., 1, :], accepted.sum(axis=-2))
    return divide((rows * each).sum(axis=-1), rows.sum(axis=-1))


def _cddl(c: Cells) -> Values:
    return _conditional_disparity(c.table.sum(axis=-2))


def _cddpl(c: Cells) -> Values:
    return _conditional_disparity(c.table.sum(axis=-3))


def _dppl(c: Cells) -> Values:
    return _gap(divide(c.predicted_1, c.n))


def _di(c: Cells) -> Values:
    q = divide(c.predicted_1, c.n)
    return divide(q[..., 1], q[..., 0])


def _dca(c: Cells) -> Values:
    return _gap(divide(c.label_1, c.predicted_1))


def _dcr(c: Cells) -> Values:
    return -_gap(divide(c.label_0, c.predicted_0))


def _ad(c: Cells) -> Values:
    return _gap(divide(c.tp + c.tn, c.n))


def _rd(c: Cells) -> Values:
    return _gap(divide(c.tp, c.label_1))


def _sd(c: Cells) -> Values:
    return -_gap(divide(c.tn, c.label_0))


def _dar(c: Cells) -> Values:
    return _gap(divide(c.tp, c.predicted_1))


def _drr(c: Cells) -> Values:
    return -_gap(divide(c.tn, c.predicted_0))


def _te(c: Cells) -> Values:
    return -_gap(divide(c.fn, c.fp))


def _ge(c: Cells) -> Values:
    rows = c.n.sum(axis=-1)
    wrong_up, wrong_down = c.fp.sum(axis=-1), c.fn.sum(axis=-1)
    mean = divide(rows - wrong_down + wrong_up, rows)
    squares = rows - wrong_down - wrong_up + 4 * wrong_up
    with np.errstate(divide="ignore", invalid="ignore"):
        return (squares / mean**2 - rows) / (2 * rows)


class BiasMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """One metric: its formula, the value that means no disparity, and the tolerance it is judged by (None: not judged)."""

    name: str
    title: str
    stage: Stage
    formula: str
    read: Callable[[Cells], Values]
    lowest: float
    highest: float
    balanced: float = 0.0
    tolerance: tuple[float, float] | None = (-0.1, 0.1)
    tolerance_source: str = "within 0.1 of balance, the common reading of difference metrics (AIF360 guidance)"
    needs_condition: bool = False


INF = float("inf")
_FOUR_FIFTHS = "four-fifths rule, 29 CFR 1607.4(D) (EEOC Uniform Guidelines 1978), and its inverse"
_NO_TOLERANCE = "no tolerance is agreed on; read it beside the others"


def _measure(
    name: str,
    title: str,
    stage: Stage,
    formula: str,
    read: Callable[[Cells], Values],
    bounds: tuple[float, float] = (-1, 1),
) -> BiasMeasure:
    return BiasMeasure(
        name=name, title=title, stage=stage, formula=formula, read=read, lowest=bounds[0], highest=bounds[1]
    )


def _unjudged(measure: BiasMeasure) -> BiasMeasure:
    return msgspec.structs.replace(measure, tolerance=None, tolerance_source=_NO_TOLERANCE)


def _conditional(measure: BiasMeasure) -> BiasMeasure:
    return msgspec.structs.replace(measure, needs_condition=True)


_PRE: Stage = "pre_training"
_POST: Stage = "post_training"

MEASURES: tuple[BiasMeasure, ...] = (
    _unjudged(_measure("CI", "Class Imbalance", _PRE, "(n_a - n_d) / (n_a + n_d)", _ci)),
    _measure("DPL", "Difference in Positive Proportions in Labels", _PRE, "q_a - q_d", _dpl),
    _unjudged(_measure("KL", "Kullback-Leibler Divergence", _PRE, "sum P_a ln(P_a / P_d)", _kl, (0, INF))),
    _unjudged(_measure("JS", "Jensen-Shannon Divergence", _PRE, "(KL(P_a, P) + KL(P_d, P)) / 2", _js, (0, 0.6931471805599453))),
    _unjudged(_measure("LP", "L-p Norm", _PRE, "root of sum (P_a - P_d)^2", _lp, (0, 2**0.5))),
    _measure("TVD", "Total Variation Distance", _PRE, "sum |P_a - P_d| / 2", _tvd, (0, 1)),
    _measure("KS", "Kolmogorov-Smirnov Distance", _PRE, "max |P_a - P_d|", _ks, (0, 1)),
    _conditional(_measure("CDDL", "Conditional Demographic Disparity in Labels", _PRE,
                          "sum n_g (rejected_dg / rejected_g - accepted_dg / accepted_g) / n", _cddl)),
    _measure("DPPL", "Difference in Positive Proportions in Predicted Labels", _POST, "q'_a - q'_d", _dppl),
    msgspec.structs.replace(_measure("DI", "Disparate Impact", _POST, "q'_d / q'_a", _di, (0, INF)),
                            balanced=1.0, tolerance=(0.8, 1.25), tolerance_source=_FOUR_FIFTHS),
    _unjudged(_measure("DCA", "Difference in Conditional Acceptance", _POST, "n_a1 / n'_a1 - n_d1 / n'_d1", _dca, (-INF, INF))),
    _unjudged(_measure("DCR", "Difference in Conditional Rejection", _POST, "n_d0 / n'_d0 - n_a0 / n'_a0", _dcr, (-INF, INF))),
    _measure("AD", "Accuracy Difference", _POST, "accuracy_a - accuracy_d", _ad),
    _measure("RD", "Recall Difference", _POST, "TPR_a - TPR_d", _rd),
    _measure("SD", "Specificity Difference", _POST, "TNR_d - TNR_a", _sd),
    _measure("DAR", "Difference in Acceptance Rates", _POST, "TP_a / n'_a1 - TP_d / n'_d1", _dar),
    _measure("DRR", "Difference in Rejection Rates", _POST, "TN_d / n'_d0 - TN_a / n'_a0", _drr),
    _unjudged(_measure("TE", "Treatment Equality", _POST, "FN_d / FP_d - FN_a / FP_a", _te, (-INF, INF))),
    _conditional(_measure("CDDPL", "Conditional Demographic Disparity in Predicted Labels", _POST,
                          "CDDL over predicted labels", _cddpl)),
    _unjudged(_measure("GE", "Generalized Entropy", _POST, "sum ((b / mean b)^2 - 1) / 2N, b = y' - y + 1", _ge, (0, INF))),
)  # fmt: skip


def read_measures(table: Table, measures: tuple[BiasMeasure, ...]) -> dict[str, Values]:
    """Compute several metrics from one table; leading axes of the table stay."""
    cells = Cells(np.asarray(table, float))
    return {measure.name: np.asarray(measure.read(cells)) for measure in measures}


def _favoured_at_all(c: Cells) -> Values:
    return c.predicted_1.sum(axis=-1, keepdims=True)


# Rows on each side without which a metric says nothing: the files of the hosted service write 0 there.
_BASES: dict[str, Callable[[Cells], Values]] = {
    "DI": _favoured_at_all,
    "DCA": lambda c: c.predicted_1,
    "DCR": lambda c: c.predicted_0,
    "RD": lambda c: c.label_1,
    "SD": lambda c: c.label_0,
    "DAR": lambda c: c.predicted_1,
    "DRR": lambda c: c.predicted_0,
    "TE": lambda c: c.fn + c.fp,
}


def without_base(table: Table) -> frozenset[str]:
    """The metrics that would divide nothing by nothing on one side of this table."""
    cells = Cells(np.asarray(table, float))
    return frozenset(name for name, base in _BASES.items() if not np.all(base(cells) > 0))
