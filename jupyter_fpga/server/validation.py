"""From bytes to a model, and from pydantic's findings to one sentence that says what to do."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from jupyter_fpga.errors import Invalid

__all__ = ("model_from_json", "model_from_query", "validate")

M = TypeVar("M", bound=BaseModel)


def model_from_json(model: type[M], body: bytes) -> M:
    """Read ``body`` as JSON and validate it.

    Raises
    ------
    Invalid
        ``not_json`` or ``invalid_request``.
    """
    return validate(model, parse_json(body))


def parse_json(body: bytes) -> Any:
    """``body`` as JSON: strict (no NaN), UTF-8.

    Raises
    ------
    Invalid
        ``not_json``.
    """
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Invalid(
            f"The body isn't UTF-8 (byte {error.start}); send JSON text in UTF-8.", code="not_json"
        ) from error
    except (ValueError, RecursionError) as error:
        raise Invalid(
            "The body isn't JSON; send one JSON object.", code="not_json", detail={"reason": str(error)}
        ) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def model_from_query(model: type[M], arguments: Mapping[str, list[bytes]]) -> M:
    """Validate a query string; of a repeated parameter the last counts, and an empty one is as if it weren't there.

    Raises
    ------
    Invalid
        ``invalid_request``.
    """
    texts = {name: values[-1].decode("utf-8", "replace") for name, values in arguments.items() if values and values[-1]}
    return validate(model, texts)


def validate(model: type[M], value: Any) -> M:
    """``value`` as a ``model``.

    Raises
    ------
    Invalid
        ``invalid_request``, with the first finding as the sentence and all of them in ``detail["problems"]``.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = [_problem(dict(finding)) for finding in error.errors(include_url=False)]
        first = problems[0]
        more = f" ({len(problems) - 1} more in detail)" if len(problems) > 1 else ""
        raise Invalid(
            f"{first['field']} {first['problem']}{more}.", code="invalid_request", detail={"problems": problems}
        ) from error


# The tags of unions are our own business and not part of the path that a person sent.
_TAGS = frozenset({"single", "batch"})


def _problem(finding: dict[str, Any]) -> dict[str, str]:
    path = [part for part in finding["loc"] if part not in _TAGS]
    field = "The request" if not path else "`" + _join(path) + "`"
    return {"field": field, "problem": _words(finding)}


def _join(path: list[Any]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _words(finding: dict[str, Any]) -> str:
    kind: str = finding["type"]
    context: dict[str, Any] = finding.get("ctx", {})
    given = finding.get("input")
    match kind:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            return "is not a field that this request knows; remove it or check its spelling"
        case "literal_error":
            return f"must be {context['expected']}; got {_short(given)}"
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            limit = context.get("ge", context.get("gt", context.get("le", context.get("lt"))))
            comparison = kind.replace("_than_equal", " than or equal to").replace("_than", " than")
            number = f"{limit:g}" if isinstance(limit, float) else str(limit)
            return f"must be {comparison} {number}; got {_short(given)}"
        case "too_long" | "too_short":
            bound = f"at most {context['max_length']}" if kind == "too_long" else f"at least {context['min_length']}"
            return f"must have {bound} entries; got {context['actual_length']}"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters; got {len(given or '')}"
        case "string_too_short":
            return f"must have at least {context['min_length']} characters; got {len(given or '')}"
    expected = _EXPECTED.get(kind)
    if expected is not None:
        return f"must be {expected}; got {_short(given)}"
    return f"isn't valid: {finding['msg'][:1].lower()}{finding['msg'][1:]}; got {_short(given)}"


_EXPECTED = {
    "int_type": "an integer",
    "int_parsing": "an integer",
    "int_from_float": "an integer",
    "int_parsing_size": "an integer of a sensible size",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "a JSON object",
    "model_attributes_type": "a JSON object",
}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 60 else text[:57] + "…"
