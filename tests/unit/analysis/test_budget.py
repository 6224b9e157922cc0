"""At most so many false alarms a month over any number of runs, and small changes found by many runs together."""

import numpy as np
import pyarrow as pa
import pytest

from modelward.analysis import ColumnConstraints, Constraints, DriftSettings, Plan, check, profile
from modelward.analysis.checking.budget import LENGTHS, RunHistory, check_run, level_of
from modelward.analysis.checking.classifier import area, classifier_test
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome

ONE = Plan(threads=1)
BUDGET = DriftSettings(
    false_alarms_a_month=1, runs_a_month=30, numeric_threshold=0, shift_threshold=0, categorical_threshold=0
)
RULES = Constraints(columns=(ColumnConstraints(name="x"), ColumnConstraints(name="y")), drift=BUDGET)


def table(rng, rows=300, shift=0.0):
    return pa.table({"x": rng.normal(size=rows) + shift, "y": rng.integers(0, 5, rows).astype(str).tolist()})


def numbered(number):
    return profile(pa.table({"x": [float(number)]}), ONE)


def test_every_run_is_judged_with_the_one_before_then_the_three_before_then_the_seven_before():
    history, lengths = RunHistory(), []
    for number in range(8):
        history, full = history.with_run(numbered(number))
        lengths.append([(runs, together.rows) for runs, together in full])

    assert lengths == [[], [(2, 2)], [], [(2, 2), (4, 4)], [], [(2, 2)], [], [(2, 2), (4, 4), (8, 8)]]
    assert full[-1][1].columns["x"].sum == sum(range(8))


def test_no_run_is_counted_twice_or_lost_and_the_longest_length_begins_anew():
    history, seen = RunHistory(), []
    for number in range(2 ** (LENGTHS + 1)):
        history, full = history.with_run(numbered(number))
        seen += [together.columns["x"] for runs, together in full if runs == 2**LENGTHS]

    assert [column.present for column in seen] == [2**LENGTHS, 2**LENGTHS]
    assert sum(column.sum for column in seen) == sum(range(2 ** (LENGTHS + 1)))
    assert all(part is None for part in history.parts)


@pytest.mark.parametrize("alarms", [0.1, 1, 3])
def test_the_chances_of_all_judgements_of_a_month_add_up_to_no_more_than_the_budget(alarms):
    settings = DriftSettings(false_alarms_a_month=alarms, runs_a_month=720)
    lengths = [1, *(2**length for length in range(1, LENGTHS + 1))]

    spent = sum(level_of(settings, runs) * 720 / runs for runs in lengths)

    assert spent <= alarms * (1 + 1e-12)


def test_the_budget_is_kept_over_runs_in_which_nothing_changes():
    alarms = runs = 0
    for world in range(6):
        rng = np.random.default_rng(world)
        baseline, history = profile(table(rng, 4_000), ONE), RunHistory()
        for _ in range(50):
            report, history = check_run(profile(table(rng), ONE), baseline, RULES, history)
            alarms += report.outcome is Outcome.FAILED
            runs += 1

    allowed = runs / 30
    assert alarms <= allowed + 3 * allowed**0.5


def test_a_shift_too_small_for_one_run_shows_over_many_and_then_counting_begins_anew():
    rng = np.random.default_rng(4)
    baseline, history = profile(table(rng, 40_000), ONE), RunHistory()
    alone, together = 0, None
    for _ in range(64):
        current = profile(table(rng, shift=0.08), ONE)
        alone += check(current, baseline, RULES).outcome is Outcome.FAILED
        report, history = check_run(current, baseline, RULES, history)
        if report.over_runs:
            together = report
            break

    assert alone <= 3
    assert together is not None
    assert together.over_runs[-1].drift[0].column == "x"
    assert f"last {together.over_runs[-1].runs} runs" in together.reason
    assert (history.runs, history.parts) == (0, ())
    assert 0 < history.spent <= history.earned


def test_a_history_survives_being_written():
    history, _ = RunHistory().with_run(numbered(1))

    assert RunHistory.from_bytes(history.to_bytes()) == history
    with pytest.raises(Invalid, match="not a history"):
        RunHistory.from_bytes(b"else")


def test_half_a_budget_and_none_are_refused():
    with pytest.raises(Invalid, match="false alarms over None runs"):
        DriftSettings(false_alarms_a_month=1)
    with pytest.raises(Invalid, match="no budget"):
        check_run(numbered(1), numbered(1), Constraints(columns=()), RunHistory())


def pair_of(rng, rows, link):
    first = rng.normal(size=rows)
    return pa.table(
        {"a": first, "b": link * first + (1 - link**2) ** 0.5 * rng.normal(size=rows), "c": ["u", None] * (rows // 2)}
    )


def test_a_classifier_sees_a_change_of_two_columns_together_that_neither_shows():
    rng = np.random.default_rng(8)
    before, after = pair_of(rng, 6_000, 0.0), pair_of(rng, 6_000, 0.8)
    baseline = profile(before)

    apart = check(profile(after), baseline, Constraints(columns=()))
    found = classifier_test(after, before)

    assert apart.outcome is Outcome.PASSED
    assert found.outcome is Outcome.FAILED
    assert {name for name, _ in found.columns[:2]} == {"a", "b"}
    assert classifier_test(after, before) == found


def test_the_chance_of_the_classifier_is_even_where_nothing_changed():
    rng = np.random.default_rng(9)
    chances = [classifier_test(pair_of(rng, 500, 0.3), pair_of(rng, 700, 0.3), seed=seed).p_value for seed in range(40)]

    assert 0.35 < np.mean(chances) < 0.65
    assert np.mean(np.array(chances) < 0.05) <= 0.2


def test_few_rows_leave_the_classifier_undecided():
    few = pa.table({"a": [1.0] * 50})

    found = classifier_test(few, few)

    assert (found.outcome, found.auc) == (Outcome.UNDECIDED, None)
    assert "50 rows" in found.reason


def test_the_area_is_that_of_mann_and_whitney():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    labels = np.repeat([0.0, 1.0], [80, 120])
    scores = np.round(rng.normal(size=200) + labels * 0.2, 1)

    found, chance = area(scores, labels)

    truth = stats.mannwhitneyu(scores[labels == 1], scores[labels == 0], alternative="greater", use_continuity=False)
    assert found == pytest.approx(truth.statistic / (80 * 120))
    assert chance == pytest.approx(truth.pvalue)
