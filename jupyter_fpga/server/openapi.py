"""The OpenAPI 3.1 document, made from the route table and the models."""

from functools import cache
from http import HTTPStatus
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from jupyter_fpga._version import __version__

from .models import Envelope, SourceUpload, SubmitJson
from .routes import Route

__all__ = ("document",)

_REF = "#/components/schemas/{model}"

_MEANINGS = {
    400: "The request isn't valid HTTP.",
    401: "No token that the lab knows.",
    403: "Somebody else's, or needs another role.",
    404: "No such thing, or nothing that this person may know of.",
    405: "Not with what the path names.",
    409: "The state of the thing doesn't allow it now.",
    413: "More than the lab takes.",
    415: "A body of a kind that the route doesn't read.",
    422: "The request can't be right; the message says what to change.",
    426: "Only a WebSocket makes sense here.",
    429: "The person holds, queues or asks for as much as the lab allows.",
    500: "A fault of the lab's own.",
    503: "The lab, or something it needs, isn't there now.",
}

# Any route of a person's can be refused so.
_ALWAYS = (400, 401, 403, 503)

_PARAMETERS: dict[str, dict[str, Any]] = {
    "fpga_id": {"schema": {"type": "integer", "minimum": 0}, "description": "Number of the board."},
    "job_id": {"schema": {"type": "string", "format": "uuid"}, "description": "The job's id."},
    "job": {
        "schema": {"anyOf": [{"type": "integer", "minimum": 0}, {"$ref": "#/components/schemas/Hash"}]},
        "description": "LSN of an action; or a worker, by its digest.",
    },
    "lsn": {"schema": {"type": "integer", "minimum": 0}, "description": "LSN of the action."},
    "queue": {
        "schema": {"type": "string", "pattern": "^(0|[1-9][0-9]*|[0-9a-f]{24})$"},
        "description": "Token of a queue; or its number, from a program on the lab's own machine.",
    },
    "hash": {"schema": {"$ref": "#/components/schemas/Hash"}, "description": "The chunk's SHA-256."},
    "worker": {"schema": {"$ref": "#/components/schemas/Hash"}, "description": "The worker's digest."},
    "action": {"schema": {"$ref": "#/components/schemas/Hash"}, "description": "The action's digest."},
    "name": {
        "schema": {"type": "string", "minLength": 1},
        "description": "The artifact's name.",
        "example": "csr.json",
    },
}

_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 in hexadecimal."}

_TAGS = (
    ("submitting", "From a design to a build, or to a programmed board."),
    ("boards", "The pool, and the registers of the board that one holds."),
    ("sessions", "The time-limited hold of one owner on one board."),
    ("jobs", "Every asynchronous change to a board, and every build."),
    ("watching", "What happens, and how the lab is."),
    ("actions", "Pure functions, computed once for everybody."),
    ("queues", "A client's groups of actions, each with a life of its own."),
    ("workers", "Who computes what, and the contents that go in and come out."),
)


@cache
def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    """The whole document of an API; the same object each time, not to be changed."""
    models = {model for route in routes for model in _models(route)} | {Envelope}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(model, "validation") for model in ordered], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter_fpga",
            "version": __version__,
            "description": (
                "The FPGA lab that lives in Jupyter: submit a design, get a programmed board, use its registers."
            ),
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        # Relative to the document's own address, which is right in every host and behind every proxy.
        "servers": [{"url": "."}],
        "security": [{"token": []}, {"apiKey": []}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS],
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Hash": _HASH},
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token …` or `Bearer …`.",
                },
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _models(route: Route) -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = [SourceUpload, SubmitJson] if route.upload else []
    for kind in (route.body, route.query, route.answer, *route.others.values()):
        found += _models_in(kind)
    return found


def _models_in(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for inner in get_args(kind) for model in _models_in(inner)]


def _schema(kind: Any) -> dict[str, Any]:
    """The schema of ``kind``, with models by reference."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {"$ref": _REF.format(model=kind.__name__)}
    schema = TypeAdapter(kind).json_schema(ref_template=_REF)
    schema.pop("$defs", None)
    return schema


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "responses": _responses(route),
    }
    if route.description:
        operation["description"] = route.description
    if route.public:
        operation["security"] = []
    parameters = [{"name": name, "in": "path", "required": True, **_PARAMETERS[name]} for name in route.parameters]
    if route.query is not None:
        parameters += _query_parameters(route.query)
    if parameters:
        operation["parameters"] = parameters
    body = _body(route)
    if body is not None:
        operation["requestBody"] = {"required": not route.optional, "content": body}
    return operation


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=_REF, schema_generator=GenerateJsonSchema)
    parameters = []
    for name, facts in schema["properties"].items():
        description = facts.pop("description", None)
        facts.pop("title", None)
        # In a query string "absent" is how to say null.
        if "anyOf" in facts:
            options = [option for option in facts.pop("anyOf") if option != {"type": "null"}]
            facts.pop("default", None)
            facts = {**options[0], **facts} if len(options) == 1 else {"anyOf": options, **facts}
        parameter = {"name": name, "in": "query", "required": False, "schema": facts}
        if description:
            parameter["description"] = description
        parameters.append(parameter)
    return parameters


def _body(route: Route) -> dict[str, Any] | None:
    if route.upload:
        return {
            "multipart/form-data": {"schema": _schema(SourceUpload)},
            "application/json": {"schema": _schema(SubmitJson)},
        }
    if route.content:
        return {"application/octet-stream": {"schema": _BYTES}}
    if route.body is None:
        return None
    body: dict[str, Any] = {"application/json": {"schema": _schema(route.body)}}
    if route.package:
        body["multipart/mixed"] = {"schema": _BYTES}
    return body


_BYTES = {"type": "string", "format": "binary"}


def _responses(route: Route) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    if route.socket:
        responses["101"] = {"description": "The WebSocket is open."}
    elif route.status == 204:
        responses["204"] = {"description": "Done."}
    else:
        responses[str(route.status)] = _success(route, route.status, route.answer)
    for status, kind in route.others.items():
        responses[str(status)] = _success(route, status, kind)
    refusals = {400, 503} if route.public else {*_ALWAYS, *route.refusals}
    if route.parameters:
        refusals.add(404)
    for status in sorted(refusals):
        responses[str(status)] = {"description": _MEANINGS[status]}
        if route.method != "HEAD":
            responses[str(status)]["content"] = {"application/json": {"schema": _schema(Envelope)}}
    if route.run.__name__ in ("health", "ready"):
        # A lab that is there and not well says so in the same words; one that isn't there, in the envelope.
        responses["503"]["content"]["application/json"]["schema"] = {
            "anyOf": [_schema(route.answer), _schema(Envelope)]
        }
    return responses


def _success(route: Route, status: int, answer: Any) -> dict[str, Any]:
    kind = route.media_type or "application/json"
    success: dict[str, Any] = {"description": HTTPStatus(status).phrase + "."}
    if answer is not None:
        success["content"] = {kind: {"schema": _schema(answer)}}
    elif route.method == "HEAD":
        success["headers"] = {"Content-Length": {"description": "Bytes.", "schema": {"type": "integer"}}}
    elif kind.startswith("text/"):
        success["content"] = {kind: {"schema": {"type": "string"}}}
    else:
        success["content"] = {"*/*": {}}
    return success
