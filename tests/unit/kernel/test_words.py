"""Time, ids, cursors, errors, outcomes."""

import contextlib
import inspect
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.kernel import errors
from modelward.kernel.clock import moment, timestamp
from modelward.kernel.errors import Invalid, ModelwardError
from modelward.kernel.ids import new_id
from modelward.kernel.outcome import Judgement, Outcome, worst
from modelward.kernel.pages import PAGE_SIZE_MAX, PageRequest, cursor_after

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)


@given(MOMENTS)
def test_a_moment_written_and_read_is_the_same_moment(at):
    assert moment(timestamp(at)) == at


@given(MOMENTS, MOMENTS)
def test_the_order_of_the_texts_is_the_order_of_the_moments(one, other):
    assert (timestamp(one) < timestamp(other)) == (one < other)


def test_a_text_without_a_zone_is_taken_as_utc():
    assert moment("2026-11-21T06:00:00") == datetime(2026, 11, 21, 6, tzinfo=UTC)


def test_ids_made_later_sort_later_and_none_is_made_twice():
    made = [new_id("run") for _ in range(20_000)]

    assert len(set(made)) == len(made)
    assert [each[:14] for each in made] == sorted(each[:14] for each in made)
    assert {len(each) for each in made} == {30}


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_a_cursor_leads_back_to_the_key_it_was_made_of(key):
    assert PageRequest(cursor=cursor_after(*key)).after == key


@given(st.text(max_size=40))
def test_a_cursor_that_was_not_given_out_is_refused_as_invalid(text):
    page = PageRequest(cursor=text)

    for ask in (lambda: page.after, lambda: page.after_number):
        with contextlib.suppress(Invalid):
            ask()


@pytest.mark.parametrize("key", [["x"], ["-1"], ["1.5"], [""], ["9" * 30]])
def test_a_cursor_of_another_list_is_refused_where_a_number_is_wanted(key):
    with pytest.raises(Invalid):
        _ = PageRequest(cursor=cursor_after(*key)).after_number


@pytest.mark.parametrize("limit", [0, -1, PAGE_SIZE_MAX + 1])
def test_a_page_has_at_least_one_item_and_not_too_many(limit):
    with pytest.raises(Invalid, match="limit"):
        PageRequest(limit=limit)


KINDS = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, ModelwardError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_words_without_being_given_any(kind):
    problem = kind()

    assert problem.message == inspect.getdoc(kind).splitlines()[0]
    assert problem.code == kind.__name__
    assert 400 <= problem.status < 600


def test_an_error_shows_its_field_and_its_hint():
    assert (
        str(Invalid("It is wrong.", field="name", hint="Choose another."))
        == "It is wrong. (field name) Choose another."
    )


def test_an_undecided_judgement_cannot_be_made_without_a_reason():
    with pytest.raises(ValueError, match="reason"):
        Judgement(outcome=Outcome.UNDECIDED)


@given(st.lists(st.sampled_from(Outcome)), st.lists(st.sampled_from(Outcome)))
def test_judging_together_what_was_judged_apart_changes_nothing(some, others):
    if some and others:
        assert worst(some + others) == worst([worst(some), worst(others)])


@given(st.lists(st.sampled_from(Outcome)))
def test_nothing_undecided_and_nothing_at_all_ever_passes(outcomes):
    assert (worst(outcomes) is Outcome.PASSED) == (bool(outcomes) and set(outcomes) == {Outcome.PASSED})
