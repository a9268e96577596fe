"""The OpenAPI 3.1 document, made of the declarations that the views themselves work with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from django.conf import settings
from rest_framework import serializers

from portal.api import bodies, calls, errors
from portal.api.endpoints import MOST, REGISTRY, USUAL, Endpoint
from portal.api.scopes import SCOPES
from portal.api.shapes import Field, Filter, Shape

VERSION = "1.0.0"
Json = dict[str, Any]
_STRING: dict[str, Json] = {
    "money": {"pattern": r"^-?[0-9]+\.[0-9]{2}$"},
    "units": {"pattern": r"^-?[0-9]+\.[0-9]{3}$"},
    "nav": {"pattern": r"^-?[0-9]+\.[0-9]{4}$"},
    "percent": {"pattern": r"^-?[0-9]+\.[0-9]{2}$"},
    "date": {"format": "date"},
    "moment": {"format": "date-time"},
    "url": {"format": "uri"},
}
# What any call may answer beside its own; writes add theirs.
_ANY = ("not_authenticated", "scope_missing", "not_acceptable", "throttled", "unavailable")
_STATUSES: dict[int, str] = {
    400: "The request could not be read.",
    401: "No valid token.",
    403: "Not allowed: scope, address, or closed API.",
    404: "There is no such thing, or it is not yours.",
    406: "Answers are application/json.",
    409: "A call with this Idempotency-Key is still running.",
    415: "Bodies are application/json.",
    422: "Something in the request is not right, or a rule of the business forbids it.",
    429: "Too many calls.",
    503: "Our records cannot be reached for the moment; Retry-After says when to call again, with the same key.",
}


def document() -> Json:
    """The whole document."""
    paths: Json = {"/token": {"post": _token()}}
    for endpoint in REGISTRY.values():
        path = "/" + endpoint.path.replace("<id>", "{id}")
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.BRAND['name']} partner API",
            "version": VERSION,
            "description": "Ids are opaque. Rupees, units and NAVs are strings. Moments carry their offset.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"oauth": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(each.app for each in REGISTRY.values())],
        "paths": paths,
        "components": _components(),
    }


def _operation(endpoint: Endpoint) -> Json:
    content: Json = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.app],
        "security": [{"oauth": [endpoint.scope] if endpoint.scope else []}],
        "parameters": list(_parameters(endpoint)),
        "responses": _responses(endpoint),
    }
    if endpoint.body:
        example = {"example": endpoint.example} if endpoint.example else {}
        content["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _of_body(endpoint.body()), **example}},
        }
    if endpoint.deprecated_at:
        content["deprecated"] = True
    return content


def _parameters(endpoint: Endpoint) -> Iterator[Json]:
    if "<id>" in endpoint.path:
        yield _parameter("id", "path", {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"}, "The id.", required=True)
    if endpoint.method == "POST":
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        yield _parameter("Idempotency-Key", "header", key, "Yours; the same key happens once.", required=True)
    for name, narrowing in endpoint.filters.items():
        yield _parameter(name, "query", _of_filter(narrowing), narrowing.doc)
    if endpoint.expands:
        names = "|".join(endpoint.expands)
        pattern = {"type": "string", "pattern": f"^({names})(,({names}))*$"}
        yield _parameter("expand", "query", pattern, f"Put these inside, with commas: {', '.join(endpoint.expands)}.")
    if endpoint.is_list:
        size = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
        yield _parameter("limit", "query", size, "How many on a page.")
        yield _parameter("cursor", "query", {"type": "string"}, "`next_cursor` of the page before.")


def _parameter(name: str, where: str, schema: Json, doc: str, *, required: bool = False) -> Json:
    return {"name": name, "in": where, "required": required, "schema": schema, "description": doc}


def _of_filter(narrowing: Filter) -> Json:
    if narrowing.choices:
        return {"type": "string", "enum": list(narrowing.choices)}
    if narrowing.kind == "yes":
        return {"type": "string", "enum": ["true", "false"]}
    return {"type": "string", **_STRING.get(narrowing.kind, {})}


def _responses(endpoint: Endpoint) -> Json:
    found: Json = {str(endpoint.status): _good(endpoint)}
    if endpoint.method == "GET":
        found["304"] = {"description": "It is still what the ETag in If-None-Match names."}
    for status in _statuses(endpoint):
        found[str(status)] = {
            "description": _STATUSES[status],
            "content": {errors.TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return found


def _statuses(endpoint: Endpoint) -> list[int]:
    found = {errors.KINDS[code].status for code in _ANY}
    if "<id>" in endpoint.path:
        found.add(404)
    if endpoint.method == "POST":
        found |= {400, 409, 415, 422}
    else:
        found |= {422} | ({400} if endpoint.is_list else set())
    return sorted(found)


def _good(endpoint: Endpoint) -> Json:
    one: Json = {"$ref": f"#/components/schemas/{endpoint.answer.name}"}
    if not endpoint.is_list:
        return _json("It worked.", _with_expands(one, endpoint), endpoint.answer.sample)
    page = {
        "type": "object",
        "required": ["data", "next_cursor"],
        "properties": {
            "data": {"type": "array", "items": _with_expands(one, endpoint)},
            "next_cursor": {"type": ["string", "null"]},
        },
    }
    return _json("A page.", page, {"data": [endpoint.answer.sample], "next_cursor": None})


def _with_expands(one: Json, endpoint: Endpoint) -> Json:
    if not endpoint.expands:
        return one
    more: Json = {}
    for name, expand in endpoint.expands.items():
        inner: Json = {"$ref": f"#/components/schemas/{expand.shape.name}"}
        as_list, as_one = {"type": "array", "items": inner}, {"oneOf": [inner, {"type": "null"}]}
        # Without `expand` some members are the id alone.
        plain = [{"type": ["string", "null"]}] if name in endpoint.answer.fields else []
        more[name] = as_list if expand.is_many else {"oneOf": [*plain, *as_one["oneOf"][: 1 if plain else 2]]}
    return {"allOf": [one, {"type": "object", "properties": more}]}


def _json(doc: str, schema: Json, example: Any) -> Json:
    names = ("ETag", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    headers = {name: {"schema": {"type": "string"}} for name in names}
    return {
        "description": doc,
        "headers": headers,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


# --- components ---------------------------------------------------------------------------------------------------


def _components() -> Json:
    shapes: dict[str, Shape] = {}
    expandable: dict[str, set[str]] = {}
    for endpoint in REGISTRY.values():
        for shape in (endpoint.answer, *(each.shape for each in endpoint.expands.values())):
            shapes[shape.name] = shape
            shapes |= {each.inner.name: each.inner for each in shape.fields.values() if each.inner}
        names = {name for name in endpoint.expands if name in endpoint.answer.fields}
        expandable.setdefault(endpoint.answer.name, set()).update(names)
    schemas = {name: _of_shape(shape, expandable.get(name, set())) for name, shape in sorted(shapes.items())}
    flow = {"tokenUrl": "/api/v1/token", "scopes": dict(SCOPES)}
    return {
        "schemas": {**schemas, "Problem": _PROBLEM, "Token": _TOKEN},
        "securitySchemes": {"oauth": {"type": "oauth2", "flows": {"clientCredentials": flow}}},
    }


def _of_shape(shape: Shape, expandable: set[str]) -> Json:
    return {
        "type": "object",
        "description": shape.doc,
        "required": list(shape.fields),
        "properties": {
            name: {"description": field.doc} if name in expandable else _of_field(field)
            for name, field in shape.fields.items()
        },
    }


_TYPES = {"yes": "boolean", "count": "integer"}


def _of_field(field: Field) -> Json:
    said: Json = {"description": field.doc}
    if field.inner:
        inner: Json = {"$ref": f"#/components/schemas/{field.inner.name}"}
        return {**said, "type": "array", "items": inner} if field.is_many else {**said, **inner}
    if field.kind == "any":
        return said
    kind = _TYPES.get(field.kind, "string")
    said |= {"type": [kind, "null"] if field.is_nullable else kind, **_STRING.get(field.kind, {})}
    if field.choices:
        said["enum"] = [*field.choices, *([None] if field.is_nullable else [])]
    return said


_PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Where the docs explain this code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "See the catalogue."},
        "detail": {"type": "string", "description": "What happened, for people."},
        "fields": {
            "type": "object",
            "description": "Member of the request -> what is wrong with it.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
_TOKEN: Json = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in"],
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"type": "string", "const": "Bearer"},
        "expires_in": {"type": "integer", "description": "Seconds."},
        "scope": {"type": "string"},
    },
}


def _token() -> Json:
    form = {
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": {"type": "string", "const": "client_credentials"},
            "client_id": {"type": "string"},
            "client_secret": {"type": "string"},
            "scope": {"type": "string", "description": "Scopes with spaces between; without it all of the key's."},
        },
    }
    trouble = {
        "description": "RFC 6749, section 5.2.",
        "content": {"application/json": {"schema": {"type": "object", "required": ["error"]}}},
    }
    good = {
        "description": "A token for an hour.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Token"}}},
    }
    return {
        "operationId": "get_token",
        "summary": "Exchange a key and its secret for an access token.",
        "tags": ["token"],
        "security": [],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {"200": good, **dict.fromkeys(("400", "401", "403", "429"), trouble)},
    }


# --- bodies -------------------------------------------------------------------------------------------------------


def _of_body(body: bodies.Body) -> Json:
    fields = {name: field for name, field in body.fields.items() if not field.read_only}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, field in fields.items() if field.required],
        "properties": {name: _of_input(field) for name, field in fields.items()},
    }


def _of_input(field: Any) -> Json:
    said: Json = {"description": str(field.help_text)} if field.help_text else {}
    if isinstance(field, serializers.ListSerializer):
        items, most = _of_body(cast(bodies.Body, field.child)), getattr(field, "max_length", None)
        return {**said, "type": "array", "items": items, "minItems": 1, "maxItems": most}
    if isinstance(field, serializers.ListField):
        return {**said, "type": "array", "items": _of_input(field.child), "maxItems": field.max_length}
    if isinstance(field, serializers.ChoiceField):
        return {**said, "type": "string", "enum": list(field.choices)}
    if isinstance(field, bodies.AmountField):
        return {**said, "type": "string", "pattern": f"^{field.pattern.pattern}$"}
    if isinstance(field, bodies.WholeField):
        return {**said, "type": "integer", "minimum": field.min_value, "maximum": field.max_value}
    if isinstance(field, bodies.YesField):
        return {**said, "type": "boolean"}
    if isinstance(field, bodies.DayField):
        return {**said, "type": "string", "format": "date"}
    said |= {"type": "string"} | ({"maxLength": field.max_length} if getattr(field, "max_length", None) else {})
    if not getattr(field, "allow_blank", True):
        said["minLength"] = 1
    if isinstance(field, serializers.EmailField):
        said["format"] = "email"
    if isinstance(field, serializers.RegexField):
        said["pattern"] = _pattern(field)
    return said


def _pattern(field: serializers.RegexField) -> str:
    found = next(each.regex.pattern for each in field.validators if hasattr(each, "regex"))
    return str(found).replace(r"\A", "^").replace(r"\Z", "$")


# --- for people ---------------------------------------------------------------------------------------------------


def for_people() -> dict[str, list[Mapping[str, Any]]]:
    """Endpoints by resource, as the docs page shows them."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for endpoint in REGISTRY.values():
        sample = endpoint.answer.sample
        found.setdefault(endpoint.app, []).append(
            {
                "endpoint": endpoint,
                "path": "/" + endpoint.path.replace("<id>", "{id}"),
                "parameters": list(_parameters(endpoint)),
                "call": calls.shell(endpoint),
                "answer_text": json.dumps(
                    {"data": [sample], "next_cursor": None} if endpoint.is_list else sample,
                    ensure_ascii=False,
                    indent=2,
                ),
            }
        )
    return found
