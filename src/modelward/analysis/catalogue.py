"""The one table of all measures: name, class, what it applies to, where its formula comes from, direction and range."""

from typing import Literal, TypeAlias

import msgspec

from modelward.analysis.bias.groups import GROUP_MEASURES
from modelward.analysis.bias.metrics import MEASURES

Class: TypeAlias = Literal["profile", "drift", "quality", "bias", "attribution"]
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
    ("rows", "Number of rows", "profile", "tables", "count", "neither", 0, INF),
    ("rejected", "Number of records that could not be read", "profile", "tables", "count", "lower is better", 0, INF),
    ("present", "Number of rows with a value", "profile", "any column", "count", "neither", 0, INF),
    ("missing", "Number of rows without a value; as a drift, the change of their share", "profile", "any column", "count",
     "lower is better", 0, INF),
    ("not_a_number", "Number of values that are not a number", "profile", "numbers", "count", "lower is better", 0, INF),
    ("infinite", "Number of infinite values", "profile", "numbers", "count", "lower is better", 0, INF),
    ("sum", "Sum", "profile", "numbers", "sum in the order of blocks", "neither", -INF, INF),
    ("minimum", "Least value", "profile", "numbers, times", "minimum", "neither", -INF, INF),
    ("maximum", "Greatest value", "profile", "numbers, times", "maximum", "neither", -INF, INF),
    ("top", "Rows with each of the most frequent values", "profile", "texts, booleans", "count", "neither", 0, INF),
    ("other", "Rows with a value that is not among those kept", "profile", "texts", "count", "neither", 0, INF),
    ("lengths", "Shortest, longest and total length of texts in characters", "profile", "texts", "count", "neither", 0, INF),
    ("type", "Share of values that have the type of the column", "profile", "any column", "values of the type / present",
     "higher is better", 0, 1),
    ("domain", "Share of values that are among those allowed", "profile", "texts, booleans", "allowed / present",
     "higher is better", 0, 1),
    ("range", "Whether the least and the greatest value lie within bounds", "profile", "numbers, times", "minimum, maximum",
     "neither", -INF, INF),
    ("non_negative", "Whether the least value is 0 or more", "profile", "numbers", "minimum", "higher is better", -INF, INF),
    ("missing_column", "Whether a column that is expected is there", "profile", "tables", "names", "neither", 0, 1),
    ("extra_column", "Whether a column is there that is not expected", "profile", "tables", "names", "neither", 0, 1),
    ("quantiles", "Quantiles", "profile", "numbers", "histogram over float bits, error at most 1.6 %", "neither", -INF, INF),
    ("distinct", "Number of different values", "profile", "any column", "k minimum values, Beyer et al. 2007", "neither", 0, INF),
    ("unique", "Share of different values", "profile", "any columns", "different values / present rows", "higher is better", 0, 1),
    ("pattern", "Share of texts that match a regular expression", "profile", "texts", "RE2", "higher is better", 0, 1),
    ("condition", "Share of rows that keep an SQL expression", "profile", "rows", "true / (true + false)", "higher is better", 0, 1),
    ("freshness", "Age of the newest time in seconds", "profile", "times", "moment of the check - maximum", "lower is better", -INF, INF),
    ("rows_change", "Change of the number of rows", "profile", "tables", "rows / baseline rows - 1", "neither", -1, INF),
    ("classifier_auc", "Area by which a classifier tells two tables apart", "drift", "tables", "Lopez-Paz & Oquab 2017",
     "lower is better", 0, 1),
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
    ("log_loss", "Log loss", "quality", "binary or multiclass with probabilities", "scikit-learn log_loss", "lower is better", 0, INF),
    ("calibration_error", "Expected calibration error, ten bins", "quality",
     "binary with probability; multiclass: of the most probable class", "Naeini et al. 2015; Guo et al. 2017", "lower is better", 0, 1),
    ("brier_multiclass", "Brier score over all classes", "quality", "multiclass with probabilities",
     "mean of sum (p - y)^2 over classes, Brier 1950", "lower is better", 0, 2),
    ("auc_macro", "Area under the ROC curve of each class against the others, mean over classes", "quality",
     "multiclass with probabilities", "scikit-learn roc_auc_score, ovr; interval DeLong et al. 1988", "higher is better", 0, 1),
    ("auc_weighted", "Area under the ROC curve of each class against the others, weighted by rows", "quality",
     "multiclass with probabilities", "scikit-learn roc_auc_score, ovr; interval DeLong et al. 1988", "higher is better", 0, 1),
    ("average_precision_macro", "Average precision, mean over classes", "quality", "multiclass with probabilities",
     "scikit-learn average_precision_score", "higher is better", 0, 1),
    ("calibration_error_classwise", "Expected calibration error, mean over classes", "quality", "multiclass with probabilities",
     "Kull et al. 2019", "lower is better", 0, 1),
    ("top_2_accuracy", "Share of rows whose class is among the 2 most probable", "quality", "multiclass with probabilities",
     "scikit-learn top_k_accuracy_score", "higher is better", 0, 1),
    ("top_3_accuracy", "Share of rows whose class is among the 3 most probable", "quality", "multiclass with probabilities",
     "scikit-learn top_k_accuracy_score", "higher is better", 0, 1),
    ("top_5_accuracy", "Share of rows whose class is among the 5 most probable", "quality", "multiclass with probabilities",
     "scikit-learn top_k_accuracy_score", "higher is better", 0, 1),
    ("precision_macro", "Precision, mean over classes", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("precision_weighted", "Precision, weighted by rows", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("recall_macro", "Recall, mean over classes", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("recall_weighted", "Recall, weighted by rows", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("f1_macro", "F1, mean over classes", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("f1_weighted", "F1, weighted by rows", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("kappa", "Cohen's kappa", "quality", "multiclass", "Cohen 1960", "higher is better", -1, 1),
    ("mae", "Mean absolute error", "quality", "regression", "scikit-learn", "lower is better", 0, INF),
    ("mape", "Mean absolute error as a share of the label", "quality", "regression without a label 0",
     "scikit-learn mean_absolute_percentage_error", "lower is better", 0, INF),
    ("mse", "Mean squared error", "quality", "regression", "scikit-learn", "lower is better", 0, INF),
    ("rmse", "Root mean squared error", "quality", "regression", "scikit-learn", "lower is better", 0, INF),
    ("r2", "Coefficient of determination", "quality", "regression", "scikit-learn r2_score", "higher is better", -INF, 1),
    ("f0_5_macro", "F0.5, mean over classes", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("f0_5_weighted", "F0.5, weighted by rows", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("f2_macro", "F2, mean over classes", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("f2_weighted", "F2, weighted by rows", "quality", "multiclass", "scikit-learn", "higher is better", 0, 1),
    ("accuracy_best_constant", "Accuracy of always predicting the most frequent label", "quality", "binary, multiclass",
     "rows of the largest class / n", "neither", 0, 1),
    ("mse_best_constant", "Mean squared error of always predicting the mean label", "quality", "regression",
     "variance of the labels", "neither", 0, INF),
    ("quantile_loss", "Quantile loss", "quality", "regression of a quantile", "Koenker & Bassett 1978", "lower is better", 0, INF),
    ("mean_error", "Mean of prediction minus label", "quality", "regression", "mean(prediction - label)", "neither", -INF, INF),
    ("FT", "Flip Test", "bias", "predictions by group, with numeric features",
     "(own 1, neighbours 0 - own 0, neighbours 1) / n_d, 5 nearest of the others (smclarify 0.5; sign as in its files)",
     "nearer to balance is better", -1, 1),
    ("kernel_shap", "Shapley values by Kernel SHAP", "attribution", "any predictor",
     "Lundberg & Lee 2017; paired leverage sampling, Musco & Witter 2024", "neither", -INF, INF),
    ("tree_shap", "Shapley values of trees, interventional", "attribution", "decision trees, forests, boosted trees",
     "Lundberg et al. 2020", "neither", -INF, INF),
    ("linear_shap", "Shapley values of a linear model", "attribution", "linear models", "weight (x - mean of background)",
     "neither", -INF, INF),
    ("partial_dependence", "Partial dependence", "attribution", "any predictor", "Friedman 2001", "neither", -INF, INF),
    ("permutation_importance", "Permutation importance", "attribution", "any predictor with labels", "Breiman 2001",
     "neither", -INF, INF),
    ("ndcg", "NDCG of the order of features", "attribution", "attributions in two windows", "Järvelin & Kekäläinen 2002",
     "higher is better", 0, 1),
    ("kendall", "Kendall rank correlation of attributions", "attribution", "attributions in two windows", "Kendall 1945, tau-b",
     "higher is better", -1, 1),
    ("spearman", "Spearman rank correlation of attributions", "attribution", "attributions in two windows", "Spearman 1904",
     "higher is better", -1, 1),
    ("attribution_change", "Change of the mean absolute attribution of a feature", "attribution",
     "attributions in two windows", "mean |now| - mean |before|, bootstrap interval", "lower is better", -INF, INF),
)  # fmt: skip

CATALOGUE: tuple[MeasureEntry, ...] = (
    tuple(
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
    )
    + tuple(
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
    + tuple(
        MeasureEntry(
            name=measure.name,
            title=measure.title,
            kind="bias",
            applies_to="labels and predictions, among all groups",
            source=f"{measure.formula} (Hardt, Price & Srebro 2016; Calders & Verwer 2010)",
            direction="nearer to balance is better",
            lowest=measure.lowest,
            highest=measure.highest,
        )
        for measure in GROUP_MEASURES
    )
)
