"""Every operation keeps its service model: what breaks a rule is refused by name, what keeps all of them is not."""

import json
import os

import pytest

from modelward.interfaces.aws import (
    model_card_exports,
    model_cards,
    model_package_groups,
    model_packages,
    models,
    search,
    tags,
    training_jobs,
)
from modelward.interfaces.aws.native_names import rule_of
from support.aws_shapes import example, faults, input_of

FAMILIES = (model_card_exports, model_cards, model_package_groups, model_packages, models, search, tags, training_jobs)
OPERATIONS = sorted(operation.name for family in FAMILIES for operation in family.family.all)
# Deep structures break the same rules over and over; each run looks at this many of an operation, CI at more.
FAULTS_MAX = int(os.environ.get("MODELWARD_TEST_FAULTS", "120" if os.environ.get("CI") else "60"))
REFUSED = ("ValidationException", "SerializationException")


def send(inside, operation, request):
    reply = inside.send(inside.json(operation, json.dumps(request).encode()))
    return reply.status, json.loads(reply.body or b"{}")


def a_few(cases):
    found = list(cases)
    step = max(1, len(found) // FAULTS_MAX)
    return found[::step][: FAULTS_MAX + 1]


def refers_to_what_is_there(operation, shape, words):
    """Names of what is there may be longer than AWS's rule for new ones; test_native_names.py has their own bounds."""
    name = words.removeprefix(".").partition(" ")[0]
    return name in shape.members and rule_of(operation, name, shape.members[name]) and "characters" in words


def test_the_families_hold_the_operations_that_cards_and_packages_need():
    assert len(OPERATIONS) == 34


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_that_keeps_every_rule_is_not_refused_for_its_shape(inside, operation):
    status, answer = send(inside, operation, example(input_of(operation)))

    assert status in (200, 400)
    assert "validation error" not in answer.get("message", "")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_member_that_nobody_knows_is_passed_over(inside, operation):
    request = example(input_of(operation))

    plain, more = send(inside, operation, request), send(inside, operation, {**request, "NobodyKnowsThis": 1})

    assert more[1].get("__type") == plain[1].get("__type") or plain[0] == 200


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_rule_that_is_broken_is_refused_with_a_validation_error(inside, operation):
    shape = input_of(operation)
    wrongly = []

    for words, request in a_few(faults(shape, example(shape))):
        if refers_to_what_is_there(operation, shape, words):
            continue
        status, answer = send(inside, operation, request)
        if status != 400 or answer.get("__type") not in REFUSED:
            wrongly.append((words, status, answer))

    assert not wrongly
