"""What ``/openapi.json`` says beyond what FastAPI reads from the functions: parameters, refusals, and tokens.

Sockets are not part of OpenAPI; docs/protocol.md is their contract.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Path
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from captions.errors import BadRequest, Forbidden, Internal, NotFound, Refusal, TooMany, Unauthorized
from captions.explain import NAME_PATTERN, NAMES
from captions.messages import ErrorMessage

Responses = dict[int | str, dict[str, Any]]
"""Responses by HTTP status, as FastAPI's ``responses`` takes them."""

RoomName = Annotated[
    str, Path(description=f"A room: {NAMES}.", examples=["hall"], json_schema_extra={"pattern": NAME_PATTERN})
]
"""The path parameter ``room``. The pattern only describes it: the check comes after that of the token."""

WITH_TOKEN = (Unauthorized, TooMany, Internal)
"""Refusals that every route under ``/v1`` may give."""
IN_A_ROOM = (BadRequest, Forbidden, NotFound, *WITH_TOKEN)
"""Refusals that every route of a room may give. ``NotFound`` includes names with a slash, which lead nowhere."""

TENANT = {
    "name": "tenant",
    "in": "query",
    "description": "The room's tenant. Only for operators of the server; others have the tenant of their token.",
    "schema": {"type": "string", "pattern": NAME_PATTERN},
}
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last event received. It overrides `after`. Browsers send it when they reconnect.",
    "schema": {"type": "string", "pattern": "^([0-9]{1,18})?$"},
}

_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Not needed on an open server."},
    "token": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "The same, for clients without headers.",
    },
}
_UNUSED_SCHEMAS = ("HTTPValidationError", "ValidationError")


def refusals(*kinds: type[Refusal]) -> Responses:
    """The responses for these refusals. Several of one status are one response."""
    responses: Responses = {}
    for kind in sorted(set(kinds), key=lambda kind: (kind.http_status, kind.code)):
        response = responses.setdefault(
            kind.http_status,
            {
                "model": ErrorMessage,
                "description": "",
                "content": {
                    "application/json": {"schema": {"properties": {"code": {"enum": []}}}},
                    "text/html": {"schema": {"type": "string"}},  # for browsers that show it to a person
                },
                "headers": {},
            },
        )
        response["content"]["application/json"]["schema"]["properties"]["code"]["enum"].append(kind.code)
        summary = (kind.__doc__ or "").partition("\n")[0]
        response["description"] = f"{response['description']}\n{kind.code}: {summary}".lstrip()
        if kind.default_retry_after is not None:
            response["headers"]["Retry-After"] = {"schema": {"type": "integer"}, "description": "Seconds."}
        if kind is Unauthorized:
            response["headers"]["WWW-Authenticate"] = {"schema": {"const": "Bearer"}}
    return responses


def query(model: type[BaseModel]) -> list[dict[str, Any]]:
    """The query parameters that ``model`` parses, as a list of OpenAPI parameters."""
    return [_parameter(name, schema) for name, schema in model.model_json_schema()["properties"].items()]


def body(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON body that ``model`` parses, as FastAPI's ``openapi_extra`` takes it."""
    schema = model.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any part of a JSON schema
    """``schema`` with definitions in place of the references to them, which would be relative to the whole document."""
    match schema:
        case {"$ref": reference}:
            return _inlined(definitions[reference.rpartition("/")[2]], definitions)
        case dict():
            parts = {name: _inlined(part, definitions) for name, part in schema.items()}
            parts.pop("uniqueItems", None)  # pydantic's sets take repeated values
            return parts
        case list():
            return [_inlined(part, definitions) for part in schema]
        case _:
            return schema


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in schema.items() if key not in {"title", "description", "anyOf"}}
    if kept.get("default", ...) is None:
        del kept["default"]
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]  # None: the parameter is absent
    kept |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}
    return {"name": name, "in": "query", "description": schema.get("description", ""), "schema": kept}


def describe(app: FastAPI) -> None:
    """Let ``/openapi.json`` name the tokens, and not FastAPI's own validation errors: no route gives them."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            components = schema.setdefault("components", {})
            components["securitySchemes"] = _SECURITY
            for name in _UNUSED_SCHEMAS:
                components.get("schemas", {}).pop(name, None)
            for operations in schema["paths"].values():
                for operation in operations.values():
                    operation["responses"].pop("422", None)
                    if "401" in operation["responses"]:
                        operation["security"] = [{"bearer": []}, {"token": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI documents it
