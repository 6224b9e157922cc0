"""The OpenAPI document, drawn from the declared operations and the types in their signatures."""

from typing import Any

import msgspec

from modelward.interfaces.rest.operations import Open, Operation
from modelward.kernel.refs import Digest, Ref

ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("code", "message", "field", "hint", "request_id")},
            "required": ["code", "message", "request_id"],
        }
    },
    "required": ["error"],
}


def document(operations: list[Operation], *, version: str) -> dict[str, Any]:
    """Draw the document (OpenAPI 3.1) of these operations."""
    types = [t for each in operations for t in (each.query_type, each.body_type, each.returns) if _has_schema(t)]
    schemas, components = msgspec.json.schema_components(
        types, schema_hook=_schema_of_ours, ref_template="#/components/schemas/{name}"
    )
    by_type = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault("/api/v1" + each.path, {})[each.method.lower()] = _operation(each, by_type, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Modelward",
            "version": version,
            "description": "Model governance: models, cards, evidence, approvals, monitors, alerts.",
        },
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _has_schema(kind: Any) -> bool:
    return kind is not None and kind is not type(None)


def _schema_of_ours(kind: type) -> dict[str, Any]:
    if issubclass(kind, Ref | Digest):
        return {"type": "string", "description": (kind.__doc__ or "").strip()}
    raise NotImplementedError(kind)


def _operation(each: Operation, by_type: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if kind is int else "string"}}
        for name, kind in each.path_types.items()
    ]
    if each.query_type is not None:
        name = by_type[id(each.query_type)]["$ref"].rpartition("/")[2]
        parameters += _query_parameters(each.query_type, components[name])
    ok: dict[str, Any] = {"description": "Done."}
    if _has_schema(each.returns):
        ok["content"] = {"application/json": {"schema": by_type[id(each.returns)]}}
    drawn: dict[str, Any] = {
        "operationId": each.name,
        "tags": [each.tag],
        "summary": each.summary.splitlines()[0] if each.summary else each.name,
        "description": each.summary,
        "parameters": parameters,
        "responses": {
            str(each.status): ok,
            "default": {
                "description": "Refused or failed.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if isinstance(each.permission, Open):
        drawn["security"] = []
        drawn["x-open-because"] = each.permission.because
    else:
        drawn["security"] = [{"token": []}]
        drawn["x-permission"] = each.permission.value
    if each.body_type is not None:
        drawn["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": by_type[id(each.body_type)]}},
        }
    elif each.raw and each.writes:
        drawn["requestBody"] = {
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        }
    return drawn


def _query_parameters(kind: type[msgspec.Struct], schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": field.name, "in": "query", "required": field.required, "schema": schema["properties"][field.name]}
        for field in msgspec.structs.fields(kind)
    ]
