"""How a call to a model is read."""

import pytest

from modelward.governance.serving.rules import NotCapturable, features_of, predictions_of


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}',
        b'{"dataframe_records": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}',
        b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]}}',
        b'{"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]}',
        b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]',
    ],
)
def test_rows_are_read_from_every_usual_form(body: bytes):
    assert features_of(body) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_an_object_that_is_no_such_form_is_a_row_itself():
    assert features_of(b'{"fare": 1.5}') == [{"fare": 1.5}]
    assert features_of(b'{"features": {"fare": 1.5}}') == [{"fare": 1.5}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"7",
        b'"text"',
        b"[]",
        b"[1, 2]",
        b'{"instances": []}',
        b'{"columns": ["a"], "data": [[1, 2]]}',
    ],
)
def test_what_holds_no_rows_cannot_be_captured(body: bytes):
    with pytest.raises(NotCapturable):
        features_of(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"predictions": [1, 0], "probabilities": [0.9, 0.2]}',
        b'{"predictions": [{"prediction": 1, "probability": 0.9}, {"prediction": 0, "probability": 0.2}]}',
        b'[{"label": 1, "score": 0.9}, {"label": 0, "score": 0.2}]',
    ],
)
def test_predictions_are_read_from_every_usual_form(body: bytes):
    assert [(each.prediction, each.probability) for each in predictions_of(body, 2)] == [(1, 0.9), (0, 0.2)]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"predictions": [1, 2, 3]}', b'{"error": "no"}'])
def test_an_answer_that_does_not_fit_leaves_the_predictions_empty(body: bytes):
    assert [(each.prediction, each.probability) for each in predictions_of(body, 2)] == [(None, None)] * 2
