"""The one table of all measures: name, class, what it applies to, where its formula comes from, direction and range."""

from typing import Literal, TypeAlias

import msgspec

from modelward.analysis.bias_metrics import MEASURES

Class: TypeAlias = Literal["profile", "drift", "quality", "bias"]
Direction: TypeAlias = Literal["higher is better", "lower is better", "nearer to balance is better", "neither"]


class MeasureEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the catalogue. ``lowest`` and ``highest`` bound the value (infinite where there is no bound)."""

    name: str
    title: str
    kind: Class
    applies_to: str
    source: str
    direction: Direction
    lowest: float
    highest: float


INF = float("inf")

_ROWS: tuple[tuple[str, str, Class, str, str, Direction, float, float], ...] = (
    ("completeness", "Share of rows with a value", "profile", "any column", "present / rows", "higher is better", 0, 1),
    ("mean", "Arithmetic mean", "profile", "numbers", "sum / n", "neither", -INF, INF),
    ("sd", "Population standard deviation", "profile", "numbers", "Chan, Golub, LeVeque 1979", "neither", 0, INF),
    ("quantile", "Quantile", "profile", "numbers", "histogram over float bits, error at most 1.6 %", "neither", -INF, INF),
    ("distinct", "Number of different values", "profile", "any column", "k minimum values, Beyer et al. 2007", "neither", 0, INF),
    ("ks", "Kolmogorov-Smirnov distance", "drift", "numbers", "Smirnov 1939; p-value Stephens 1970", "lower is better", 0, 1),
    ("wasserstein", "Wasserstein distance in baseline sd", "drift", "numbers", "Vallender 1974", "lower is better", 0, INF),
    ("js", "Jensen-Shannon distance, base 2", "drift", "texts, booleans, binned numbers", "Lin 1991; Endres & Schindelin 2003",
     "lower is better", 0, 1),
    ("psi", "Population stability index", "drift", "texts, booleans, binned numbers", "Siddiqi 2006", "lower is better", 0, INF),
    ("hellinger", "Hellinger distance", "drift", "texts, booleans, binned numbers", "Hellinger 1909", "lower is better", 0, 1),
    ("chi2", "Chi-square statistic", "drift", "texts, booleans, binned numbers", "Pearson 1900", "lower is better", 0, INF),
    ("accuracy", "Accuracy", "quality", "binary, multiclass", "scikit-learn accuracy_score", "higher is better", 0, 1),
    ("precision", "Precision", "quality", "binary", "scikit-learn precision_score", "higher is better", 0, 1),
    ("recall", "Recall", "quality", "binary", "scikit-learn recall_score", "higher is better", 0, 1),
    ("specificity", "Specificity", "quality", "binary", "TN / (TN + FP)", "higher is better", 0, 1),
    ("false_positive_rate", "False positive rate", "quality", "binary", "FP / (TN + FP)", "lower is better", 0, 1),
    ("false_negative_rate", "False negative rate", "quality", "binary", "FN / (TP + FN)", "lower is better", 0, 1),
    ("f1", "F1", "quality", "binary", "scikit-learn f1_score", "higher is better", 0, 1),
    ("f0_5", "F0.5", "quality", "binary", "scikit-learn fbeta_score(beta=0.5)", "higher is better", 0, 1),
    ("f2", "F2", "quality", "binary", "scikit-learn fbeta_score(beta=2)", "higher is better", 0, 1),
    ("balanced_accuracy", "Balanced accuracy", "quality", "binary", "scikit-learn balanced_accuracy_score",
     "higher is better", 0, 1),
    ("matthews", "Matthews correlation", "quality", "binary", "Matthews 1975", "higher is better", -1, 1),
    ("label_share", "Share of positive labels", "quality", "binary", "(TP + FN) / n", "neither", 0, 1),
    ("predicted_share", "Share of positive predictions", "quality", "binary", "(TP + FP) / n", "neither", 0, 1),
    ("auc", "Area under the ROC curve", "quality", "binary with probability", "Mann & Whitney 1947; interval Hanley & McNeil 1982",
     "higher is better", 0, 1),
    ("average_precision", "Average precision", "quality", "binary with probability", "scikit-learn average_precision_score",
     "higher is better", 0, 1),
    ("brier", "Brier score", "quality", "binary with probability", "Brier 1950", "lower is better", 0, 1),
    ("log_loss", "Log loss", "quality", "binary with probability", "scikit-learn log_loss", "lower is better", 0, INF),
    ("calibration_error", "Expected calibration error, ten bins", "quality", "binary with probability", "Naeini et al. 2015",
     "lower is better", 0, 1),
    ("precision_macro", "Precision, mean over classes", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("precision_weighted", "Precision, weighted by rows", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("recall_macro", "Recall, mean over classes", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("recall_weighted", "Recall, weighted by rows", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("f1_macro", "F1, mean over classes", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("f1_weighted", "F1, weighted by rows", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("kappa", "Cohen's kappa", "quality", "multiclass", "Cohen 1960", "higher is better", -1, 1),
    ("mae", "Mean absolute error", "quality", "regression", "scikit-learn", "lower is better", 0, INF),
    ("mse", "Mean squared error", "quality", "regression", "scikit-learn", "lower is better", 0, INF),
    ("rmse", "Root mean squared error", "quality", "regression", "scikit-learn", "lower is better", 0, INF),
    ("r2", "Coefficient of determination", "quality", "regression", "scikit-learn r2_score", "higher is better", -INF, 1),
    ("mean_error", "Mean of prediction minus label", "quality", "regression", "mean(prediction - label)", "neither", -INF, INF),
)  # fmt: skip

CATALOGUE: tuple[MeasureEntry, ...] = tuple(
    MeasureEntry(
        name=name,
        title=title,
        kind=kind,
        applies_to=applies_to,
        source=source,
        direction=direction,
        lowest=low,
        highest=high,
    )
    for name, title, kind, applies_to, source, direction, low, high in _ROWS
) + tuple(
    MeasureEntry(
        name=measure.name,
        title=measure.title,
        kind="bias",
        applies_to="labels by group" if measure.stage == "pre_training" else "labels and predictions by group",
        source=f"{measure.formula} (Amazon SageMaker Clarify, public documentation)",
        direction="nearer to balance is better",
        lowest=measure.lowest,
        highest=measure.highest,
    )
    for measure in MEASURES
)
