"""Explaining a fitted model by the best way there is for it: exactly for trees and linear models, else by sampling."""

import sys
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from modelward.analysis.attribution.asking import Link, Rows
from modelward.analysis.attribution.explain import BATCH_ROWS, Explanation, kernel_shap, matched, names_of
from modelward.analysis.attribution.trees import tree_shap, trees_of
from modelward.kernel.errors import Invalid

_LINEAR = (
    "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV", "LinearSVC", "LinearSVR",
    "LogisticRegression", "LogisticRegressionCV", "SGDClassifier", "SGDRegressor", "HuberRegressor", "BayesianRidge",
)  # fmt: skip


def explain_model(
    model: Any,
    rows: Rows,
    background: Rows,
    *,
    names: Sequence[str] | None = None,
    samples: int | None = None,
    link: Link = "identity",
    seed: int = 0,
    batch_rows: int = BATCH_ROWS,
) -> Explanation:
    """Attribute the output of a fitted model to its features.

    scikit-learn's trees and linear models are explained exactly and without asking the model; XGBoost and LightGBM by
    their own contributions; everything else with ``predict_proba`` or ``predict`` by ``kernel_shap``. The explained
    output is told in ``notes``: boosted and linear classifiers are explained in log-odds, which is what they add up.
    With ``link="logit"`` for a model whose probabilities are explained, ``kernel_shap`` is used.

    Raises:
        Invalid: shapes do not fit, or the object predicts nothing.
    """
    rows, background = matched(rows, background)
    listed = tuple(names_of(names, rows.shape[1]))
    ensemble = trees_of(model)
    if ensemble is not None and (link == "identity" or ensemble.output == "log-odds"):
        values, outputs, expected = tree_shap(ensemble, rows, background)
        return _exact(listed, values, outputs, expected, "tree_shap", ensemble.output)
    if _is_of(model, "sklearn", _LINEAR):
        return _linear(model, np.asarray(rows, np.float64), np.asarray(background, np.float64), listed)
    found = _native(model, rows, listed)
    if found is not None:
        return found
    predict = predict_of(model)
    return kernel_shap(
        predict, rows, background, names=listed, samples=samples, link=link, seed=seed, batch_rows=batch_rows
    )


def predict_of(model: Any) -> Any:
    """What to ask of a model: the probability of the second of two classes, of each of several, or the predicted value.

    Raises:
        Invalid: it has neither ``predict_proba`` nor ``predict`` and cannot be called.
    """
    if hasattr(model, "predict_proba"):

        def probability(rows: Rows) -> Any:
            found = np.asarray(model.predict_proba(rows))
            return found[:, 1] if found.ndim == 2 and found.shape[1] == 2 else found

        return probability
    if hasattr(model, "predict"):
        return model.predict
    if callable(model):
        return model
    raise Invalid(
        f"A {type(model).__name__} predicts nothing: it has neither predict_proba nor predict.", field="model"
    )


def _is_of(model: Any, package: str, names: Sequence[str]) -> bool:
    return any(
        one.__module__.split(".")[0] == package and one.__name__ in names
        for one in type(model).__mro__
        if hasattr(one, "__module__")
    )


def _exact(names: tuple[str, ...], values: Any, outputs: Any, expected: Any, method: str, output: str) -> Explanation:
    return Explanation(
        features=names,
        values=values,
        errors=np.zeros_like(values),
        outputs=outputs,
        expected=expected,
        method=method,
        exact=True,
        notes=(f"What is explained is the model's {output}.",),
    )


def _linear(model: Any, rows: Any, background: Any, names: tuple[str, ...]) -> Explanation:
    """The share of a feature in a sum is its weight times its distance from the mean of the background."""
    weights = np.atleast_2d(np.asarray(model.coef_, np.float64))
    if weights.shape[1] != rows.shape[1]:
        raise Invalid(f"The model has {weights.shape[1]} features, the rows have {rows.shape[1]}.", field="rows")
    middle = background.mean(axis=0)
    values = (rows - middle)[:, :, np.newaxis] * weights.T[np.newaxis]
    start = np.broadcast_to(np.atleast_1d(np.asarray(model.intercept_, np.float64)), len(weights))
    output = "log-odds or margin" if hasattr(model, "classes_") else "value"
    return _exact(names, values, rows @ weights.T + start, weights @ middle + start, "linear_shap", output)


def _native(model: Any, rows: Any, names: tuple[str, ...]) -> Explanation | None:
    """The contributions that XGBoost and LightGBM compute themselves; they depend on the paths of the training rows."""
    if _is_of(model, "xgboost", ("XGBModel", "Booster")):
        booster = model.get_booster() if hasattr(model, "get_booster") else model
        matrix = sys.modules["xgboost"].DMatrix(rows, feature_names=booster.feature_names)
        found = np.asarray(booster.predict(matrix, pred_contribs=True), np.float64)
        parts = found[:, np.newaxis, :] if found.ndim == 2 else found
        method = "xgboost_contributions"
    elif _is_of(model, "lightgbm", ("LGBMModel", "Booster")):
        booster = model.booster_ if hasattr(model, "booster_") else model
        found = np.asarray(booster.predict(rows, pred_contrib=True), np.float64)
        parts = found.reshape(len(rows), -1, len(names) + 1)
        method = "lightgbm_contributions"
    else:
        return None
    values = parts[:, :, :-1].transpose(0, 2, 1)
    explained = _exact(names, values, parts.sum(axis=2), parts[0, :, -1], method, "margin")
    note = "The background is the training data as the trees remember it, not the background that was given."
    return msgspec.structs.replace(explained, notes=(*explained.notes, note))
