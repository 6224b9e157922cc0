"""The API's own description: valid, complete, and every reference in it leads somewhere."""

import re

import jsonschema_rs
import msgspec
import pytest

from modelward.interfaces.rest.api import all_operations
from modelward.interfaces.rest.openapi import document
from modelward.interfaces.rest.operations import Open


@pytest.fixture(scope="module")
def drawn(visitor):
    return visitor.ask("GET", "/api/v1/openapi.json", token="").body


def walk(value):
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


def test_the_document_keeps_the_rules_of_openapi(drawn):
    validator = pytest.importorskip("openapi_spec_validator")

    validator.validate(drawn)


def test_every_operation_is_in_it_once_with_its_permission(drawn):
    shown = {
        (method.upper(), path.removeprefix("/api/v1")): each
        for path, methods in drawn["paths"].items()
        for method, each in methods.items()
    }

    for each in all_operations():
        entry = shown.pop((each.method, each.path))
        assert entry["operationId"] == each.name
        assert entry["summary"]
        if not isinstance(each.permission, Open):
            assert entry["x-permission"] == each.permission.value
            assert entry["security"] == [{"token": []}]
    assert set(shown) <= {("GET", "/openapi.json")}


def test_every_part_of_a_path_is_described(drawn):
    for path, methods in drawn["paths"].items():
        for entry in methods.values():
            described = {each["name"] for each in entry["parameters"] if each["in"] == "path"}
            assert described == set(re.findall(r"{(\w+)}", path))


def test_every_reference_leads_somewhere(drawn):
    references = {each["$ref"] for each in walk(drawn) if isinstance(each.get("$ref"), str)}

    assert references
    for each in references:
        place = drawn
        for part in each.removeprefix("#/").split("/"):
            place = place[part]
        assert isinstance(place, dict)


def test_every_schema_in_it_is_a_json_schema(drawn):
    for name, schema in drawn["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": drawn["components"]})


def test_what_the_server_answers_is_what_the_document_says(visitor, drawn):
    visitor.client().models.register("shown", tags={"a": "b"})
    visitor.client().versions.register("shown", facts={"framework": "sklearn", "training_metrics": {"auc": 0.9}})

    for method, path, template in (
        ("GET", "/models/shown", "/models/{model}"), ("GET", "/models", "/models"), ("GET", "/versions/shown@1", "/versions/{version}"),
        ("GET", "/models/shown/versions", "/models/{model}/versions"), ("GET", "/self", "/self"), ("GET", "/people", "/people"),
        ("GET", "/events", "/events"), ("GET", "/events/verify", "/events/verify"),
    ):  # fmt: skip
        answer = visitor.ask(method, f"/api/v1{path}")
        schema = drawn["paths"][f"/api/v1{template}"][method.lower()]["responses"]["200"]["content"][
            "application/json"
        ]["schema"]
        assert answer.status == 200
        jsonschema_rs.validate({**schema, "components": drawn["components"]}, answer.body)


def test_an_error_is_what_the_document_says(visitor, drawn):
    answer = visitor.ask("GET", "/api/v1/models/none")

    jsonschema_rs.validate({"$ref": "#/components/schemas/Error", "components": drawn["components"]}, answer.body)


def test_the_document_is_the_same_each_time():
    assert msgspec.json.encode(document(all_operations(), version="1")) == msgspec.json.encode(
        document(all_operations(), version="1")
    )
