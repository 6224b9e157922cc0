"""Kernel SHAP is exact where it can be, converges with an honest error where it cannot, and can be interrupted."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.analysis.attribution.coalitions import coalitions
from modelward.analysis.attribution.explain import ShapState, kernel_shap
from modelward.kernel.errors import Conflict, Invalid


def tangled(rows):
    """A model in which every feature works together with another."""
    return np.sin(rows[:, 0] * rows[:, 1]) + rows[:, -1] * rows[:, 0] + rows.sum(axis=1) ** 2 / 10


def shapley(model, row, background):
    """The definition, by all subsets."""
    count, worth = len(row), {}
    for members in itertools.product((False, True), repeat=count):
        mixed = background.copy()
        mixed[:, list(members)] = row[list(members)]
        worth[members] = model(mixed).mean()
    values = np.zeros(count)
    for members, without in worth.items():
        size = sum(members)
        share = math.factorial(size) * math.factorial(count - size - 1) if size < count else 0
        for place in np.flatnonzero(~np.array(members)):
            joined = tuple(one or at == place for at, one in enumerate(members))
            values[place] += share / math.factorial(count) * (worth[joined] - without)
    return values


@pytest.mark.parametrize("features", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("background_rows", [1, 5])
def test_where_all_coalitions_fit_the_values_are_those_of_the_definition(features, background_rows):
    rng = np.random.default_rng(features)
    rows, background = rng.normal(size=(3, features)), rng.normal(size=(background_rows, features))
    model = tangled if features > 1 else lambda given: given[:, 0] ** 2

    found = kernel_shap(model, rows, background)

    assert found.exact
    assert found.convergence_error == 0
    expected = [shapley(model, row, background) for row in rows]
    np.testing.assert_allclose(found.values[:, :, 0], expected, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(features=st.integers(2, 40), budget=st.integers(1, 600), seed=st.integers(0, 5))
def test_coalitions_are_different_within_the_budget_and_their_attributions_add_up(features, budget, seed):
    chosen = coalitions(features, budget, seed)

    both = np.concatenate((chosen.masks, ~chosen.masks))
    assert len(np.unique(both, axis=0)) == len(both) == chosen.count
    assert chosen.count <= max(budget, 2 * features)
    assert both.any(axis=1).all()
    assert not both.all(axis=1).any()
    np.testing.assert_allclose(chosen.projection.sum(axis=0), 0, atol=1e-9)
    assert chosen.share.sum() == pytest.approx(1)


@settings(max_examples=20, deadline=None)
@given(features=st.integers(3, 30), budget=st.integers(60, 500), seed=st.integers(0, 5))
def test_a_sum_of_features_is_explained_exactly_by_any_coalitions(features, budget, seed):
    rng = np.random.default_rng(seed)
    weights, rows, background = (
        rng.normal(size=features),
        rng.normal(size=(4, features)),
        rng.normal(size=(2, features)),
    )

    found = kernel_shap(lambda given: given @ weights, rows, background, samples=budget, seed=seed)

    np.testing.assert_allclose(found.values[:, :, 0], (rows - background.mean(axis=0)) * weights, atol=1e-8)


def wide(rows):
    return np.tanh(rows @ np.linspace(-1, 1, rows.shape[1])) + rows[:, 0] * rows[:, 1] * rows[:, 2]


def sampled(samples, seed=0, **options):
    rng = np.random.default_rng(1)
    return kernel_shap(wide, rng.normal(size=(20, 16)), np.zeros((1, 16)), samples=samples, seed=seed, **options)


def test_the_told_error_is_the_real_one_and_falls_with_the_budget():
    truth = sampled(2**16)
    assert truth.exact
    told, real = [], []
    for samples in (200, 800, 3200):
        runs = [sampled(samples, seed) for seed in range(8)]
        told.append(np.mean([run.convergence_error for run in runs]))
        real.append(np.sqrt(np.mean([(run.values - truth.values) ** 2 for run in runs])))
        within = np.mean([np.abs(run.values - truth.values) < 1.96 * run.errors for run in runs])
        assert 0.85 <= within <= 0.99
    assert real[0] > real[1] > real[2]
    np.testing.assert_allclose(told, real, rtol=0.35)


def test_attributions_add_up_to_the_output_less_the_expected_one():
    found = sampled(300)

    np.testing.assert_allclose(found.values.sum(axis=1), found.outputs - found.expected, atol=1e-10)


def test_the_same_seed_gives_the_same_values_whatever_the_batches():
    np.testing.assert_allclose(sampled(300).values, sampled(300, batch_rows=512).values, rtol=1e-12, atol=1e-12)
    assert (sampled(300).values != sampled(300, seed=1).values).any()


def test_a_feature_that_equals_the_background_adds_nothing_and_costs_nothing():
    rows = np.random.default_rng(0).normal(size=(5, 16))
    rows[:, 8:] = 0

    found = kernel_shap(wide, rows, np.zeros((1, 16)), samples=300)

    assert found.exact
    assert (found.values[:, 8:] == 0).all()
    assert found.evaluations == 1 + 5 * 2**8


def test_log_odds_add_up_in_log_odds_and_the_expected_one_is_of_the_mean():
    def probability(rows):
        return 1 / (1 + np.exp(-rows.sum(axis=1)))

    found = kernel_shap(probability, np.ones((2, 4)), np.zeros((1, 4)), link="logit")

    np.testing.assert_allclose(found.values[:, :, 0], 1.0, atol=1e-12)
    assert found.expected == pytest.approx([0.0])


def test_several_labels_are_explained_at_once():
    def two(rows):
        return np.column_stack((rows[:, 0] * 2, rows[:, 1] * rows[:, 2]))

    found = kernel_shap(two, np.ones((3, 3)), np.zeros((1, 3)))

    np.testing.assert_allclose(found.values[0], [[2, 0], [0, 0.5], [0, 0.5]], atol=1e-12)


def test_features_that_are_not_explained_keep_the_values_of_the_row():
    rows = np.array([[2.0, 3.0, 5.0]])

    found = kernel_shap(lambda given: given.prod(axis=1), rows, np.zeros((1, 3)), names="abc", only="ab")

    np.testing.assert_allclose(found.values[0, :, 0], [15, 15, 0])


def test_rows_of_texts_are_mixed_as_they_are():
    def model(rows):
        return [len(str(text)) + (number or 0) for text, number in rows.tolist()]

    rows = np.array([["long", 3], ["x", None]], object)

    found = kernel_shap(model, rows, np.array([["", 1]], object))

    np.testing.assert_allclose(found.values[:, :, 0], [[4, 2], [1, -1]])


class Broken(RuntimeError):
    pass


def test_an_interrupted_explanation_goes_on_from_its_bytes_to_the_same_values():
    kept, calls = [], []

    def fails(rows):
        calls.append(len(rows))
        if len(calls) > 4:
            raise Broken
        return wide(rows)

    rows = np.random.default_rng(1).normal(size=(20, 16))
    with pytest.raises(Broken):
        kernel_shap(
            fails,
            rows,
            np.zeros((1, 16)),
            samples=300,
            batch_rows=1_000,
            on_progress=lambda s: kept.append(s.to_bytes()),
        )
    state = ShapState.from_bytes(kept[-1])
    assert 0 < state.done < 20

    resumed = kernel_shap(wide, rows, np.zeros((1, 16)), samples=300, batch_rows=1_000, state=state)

    whole = sampled(300)
    np.testing.assert_allclose(resumed.values, whole.values, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(resumed.errors, whole.errors, rtol=1e-9, atol=1e-12)
    assert resumed.evaluations == whole.evaluations + 1


def test_a_state_of_another_explanation_is_refused():
    state = []
    sampled(300, on_progress=state.append)

    with pytest.raises(Conflict, match="another explanation"):
        sampled(301, state=state[-1])
    with pytest.raises(Invalid, match="no state"):
        ShapState.from_bytes(b"nonsense")


def test_a_background_too_large_to_mix_at_once_is_mixed_in_pieces():
    rng = np.random.default_rng(0)
    rows, background = rng.normal(size=(2, 6)), rng.normal(size=(40, 6))
    most = []

    def model(given):
        most.append(len(given))
        return tangled(given)

    found = kernel_shap(model, rows, background, batch_rows=100)

    assert max(most) <= 100
    assert (found.values == kernel_shap(tangled, rows, background).values).all()


def test_few_samples_for_many_features_are_told():
    assert "few" in sampled(100).notes[0]
    assert sampled(5000).notes == ()


@pytest.mark.parametrize(
    "model, options, words",
    [
        (lambda rows: rows[:1, 0], {}, "one output"),
        (lambda rows: rows[:, 0] * np.nan, {}, "finite"),
        (lambda rows: rows[:, 0] + 5, {"link": "logit"}, "probabilities"),
        (lambda rows: rows[:, 0], {"names": ["a", "a", "b"]}, "different names"),
        (lambda rows: rows[:, 0], {"only": ["z"]}, "no feature 'z'"),
        (lambda rows: rows[:, 0], {"samples": 0}, "one sample"),
        (lambda rows: rows[:, 0], {"background": np.zeros((0, 3))}, "background"),
        (lambda rows: rows[:, 0], {"background": np.zeros((1, 2))}, "background"),
        (lambda rows: rows[:, 0], {"rows": np.zeros(3)}, "matrix"),
    ],
)
def test_bad_questions_are_refused_in_plain_words(model, options, words):
    given = {"rows": np.ones((3, 3)), "background": np.zeros((1, 3))} | options

    with pytest.raises(Invalid, match=words):
        kernel_shap(model, **given)
