"""Trees and linear models are explained exactly: as Kernel SHAP over all coalitions does, without asking the model."""

import numpy as np
import pytest

from modelward.analysis.attribution.curves import partial_dependence, permutation_importance
from modelward.analysis.attribution.explain import kernel_shap
from modelward.analysis.attribution.models import explain_model, predict_of
from modelward.analysis.attribution.trees import tree_shap, trees_of
from modelward.kernel.errors import Invalid

ensemble = pytest.importorskip("sklearn.ensemble", reason="scikit-learn is not installed (extra: demo)")
linear = pytest.importorskip("sklearn.linear_model")
tree = pytest.importorskip("sklearn.tree")
neighbors = pytest.importorskip("sklearn.neighbors")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 8))
HOLES = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
TWO = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)
THREE = np.digitize(X[:, 0] + X[:, 3] * X[:, 1], [-0.5, 0.5])
NUMBER = X[:, 0] * X[:, 1] + X[:, 4]

CASES = {
    "one tree": (tree.DecisionTreeRegressor(random_state=0), X, NUMBER, "predict"),
    "one tree with holes": (tree.DecisionTreeRegressor(random_state=0), HOLES, NUMBER, "predict"),
    "a tree of classes": (tree.DecisionTreeClassifier(random_state=0), X, THREE, "predict_proba"),
    "a forest": (ensemble.RandomForestRegressor(6, random_state=0), HOLES, NUMBER, "predict"),
    "a forest of classes": (ensemble.RandomForestClassifier(6, random_state=0), X, THREE, "predict_proba"),
    "extra trees": (ensemble.ExtraTreesRegressor(4, random_state=0), X, NUMBER, "predict"),
    "boosted": (ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0), X, NUMBER, "predict"),
    "boosted from zero": (ensemble.GradientBoostingRegressor(n_estimators=9, init="zero"), X, NUMBER, "predict"),
    "boosted, two": (ensemble.GradientBoostingClassifier(n_estimators=20), X, TWO, "decision_function"),
    "boosted, three": (ensemble.GradientBoostingClassifier(n_estimators=9), X, THREE, "decision_function"),
    "histograms": (ensemble.HistGradientBoostingRegressor(max_iter=15), HOLES, NUMBER, "predict"),
    "histograms, three": (ensemble.HistGradientBoostingClassifier(max_iter=9), HOLES, THREE, "decision_function"),
    "a sum": (linear.Ridge(), X, NUMBER, "predict"),
    "a logistic sum": (linear.LogisticRegression(), X, TWO, "decision_function"),
    "three logistic sums": (linear.LogisticRegression(), X, THREE, "decision_function"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("background_rows", [1, 6])
def test_the_exact_way_gives_what_all_coalitions_give(name, background_rows):
    model, rows, labels, asked = CASES[name]
    model.fit(rows, labels)

    exact = explain_model(model, rows[100:110], rows[:background_rows])
    asking = kernel_shap(getattr(model, asked), rows[100:110], rows[:background_rows])

    assert exact.exact
    assert exact.evaluations == 0
    assert exact.method in ("tree_shap", "linear_shap")
    np.testing.assert_allclose(exact.values, asking.values, atol=1e-10)
    np.testing.assert_allclose(exact.outputs, asking.outputs, atol=1e-10)
    np.testing.assert_allclose(exact.expected, asking.expected, atol=1e-10)


def test_probabilities_of_two_classes_are_those_of_the_second():
    model = ensemble.RandomForestClassifier(5, random_state=0).fit(X, TWO)

    found = explain_model(model, X[:5], X[:1])

    np.testing.assert_allclose(found.outputs[:, 0], model.predict_proba(X[:5])[:, 1], atol=1e-12)


def test_a_boosted_model_upon_another_model_is_asked_instead():
    upon = ensemble.GradientBoostingRegressor(n_estimators=5, init=linear.LinearRegression()).fit(X, NUMBER)

    assert trees_of(upon) is None
    assert explain_model(upon, X[:2], X[:1]).method == "kernel_shap"


def test_a_model_that_is_neither_tree_nor_sum_is_asked():
    model = neighbors.KNeighborsClassifier().fit(X, TWO)

    found = explain_model(model, X[:2], X[:1], samples=100)

    assert found.method == "kernel_shap"
    assert found.evaluations > 100


def test_log_odds_of_a_forest_are_asked_for():
    model = ensemble.RandomForestClassifier(30, max_depth=3, random_state=0).fit(X, TWO)

    assert explain_model(model, X[:1], X[:1] * 0, link="logit").method == "kernel_shap"


def test_what_predicts_nothing_and_rows_of_texts_for_a_tree_are_refused():
    model = tree.DecisionTreeRegressor().fit(X, NUMBER)

    with pytest.raises(Invalid, match="predicts nothing"):
        predict_of(object())
    with pytest.raises(Invalid, match="numbers"):
        tree_shap(trees_of(model), np.array([["a"] * 8]), X[:1])
    with pytest.raises(Invalid, match="same features"):
        tree_shap(trees_of(model), X[:1, :3], X[:1])


def test_partial_dependence_of_a_sum_is_a_line_and_of_texts_a_bar_each():
    rows = np.column_stack((np.linspace(0, 1, 101), np.random.default_rng(0).random(101)))

    curve = partial_dependence(lambda given: given[:, 0] * 3 + given[:, 1], rows, "column_0", grid=4)

    assert curve.values == pytest.approx((0.125, 0.375, 0.625, 0.875))
    assert np.diff(curve.outputs[0]) == pytest.approx([0.75] * 3)
    assert sum(curve.shares) == pytest.approx(1)
    texts = np.array([["a"], ["b"], ["a"], ["b"], ["b"]], object)
    bars = partial_dependence(lambda given: [ord(row[0]) for row in given.tolist()], texts, "column_0")
    assert (bars.kind, bars.values, bars.outputs, bars.shares) == ("categorical", ("a", "b"), ((97, 98),), (0.4, 0.6))


def test_partial_dependence_of_a_constant_is_one_point():
    curve = partial_dependence(lambda given: given[:, 0], np.ones((5, 1)), "column_0")

    assert (curve.values, curve.outputs, curve.shares) == ((1.0,), ((1.0,),), (1.0,))


def test_a_feature_without_a_part_in_the_output_has_no_importance_and_the_strongest_the_largest():
    rows = np.random.default_rng(0).normal(size=(800, 3))
    labels = rows[:, 0] * 3 + rows[:, 1]

    found = permutation_importance(lambda given: given[:, 0] * 3 + given[:, 1], rows, labels, loss="mse")

    assert found[0].increase == pytest.approx(18, rel=0.2)
    assert found[0].low > found[1].high > 0
    assert found[2].increase == found[2].low == found[2].high == 0


@pytest.mark.parametrize("options, words", [
    ({"loss": "hinge"}, "none of"), ({"loss": "brier"}, "0 and 1"), ({"repeats": 1}, "2 repeats"),
    ({"labels": [1.0]}, "as many labels"),
])  # fmt: skip
def test_bad_questions_about_importance_are_refused(options, words):
    given = {"rows": X, "labels": NUMBER, "loss": "mse"} | options

    with pytest.raises(Invalid, match=words):
        permutation_importance(lambda rows: rows[:, 0], **given)


def test_a_value_a_hair_above_a_threshold_falls_where_the_model_puts_it():
    model = tree.DecisionTreeRegressor(max_depth=1).fit(np.float32([[0], [1]]), [0.0, 1.0])
    rows = np.array([[0.5 + 1e-10], [0.5 + 1e-6]])

    _, outputs, _ = tree_shap(trees_of(model), rows, np.array([[0.0]]))

    assert outputs[:, 0].tolist() == model.predict(rows).tolist() == [0.0, 1.0]
