"""From bytes to a model, and from pydantic's findings to one sentence that says what to do."""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from jupyter_fpga.errors import Invalid

__all__ = ("json_value", "model_from_json", "model_from_query", "validate")

M = TypeVar("M", bound=BaseModel)

_DEEPEST = 64
"""Lists and objects in one another: parameters of a design have a few, and what is deeper can exhaust a stack."""


def model_from_json(model: type[M], body: bytes) -> M:
    """Read ``body`` as JSON and validate it.

    Raises
    ------
    Invalid
        ``not_json`` or ``invalid_request``.
    """
    return validate(model, parse_json(body))


def parse_json(body: bytes) -> Any:
    """``body`` as JSON: strict (no NaN, no number without end), UTF-8, and no deeper than anybody's data is.

    Raises
    ------
    Invalid
        ``not_json``.
    """
    try:
        return json_value(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Invalid(
            f"The body isn't UTF-8 (byte {error.start}); send JSON text in UTF-8.", code="not_json"
        ) from error
    except ValueError as error:
        raise Invalid(f"The body isn't JSON ({error}); send one JSON object.", code="not_json") from error


def json_value(text: str) -> Any:
    """``text`` as a JSON value that can be stored, sent on and shown again.

    Raises
    ------
    ValueError
        It isn't one: no JSON, a number that isn't finite, half of a surrogate pair, or nested deeper than 64.
    """
    try:
        value = json.loads(text, parse_constant=_not_json, parse_float=_finite)
    except RecursionError:
        raise ValueError(f"nested deeper than {_DEEPEST}") from None
    if text.count("[") + text.count("{") > _DEEPEST and _is_deeper(value, _DEEPEST):
        raise ValueError(f"nested deeper than {_DEEPEST}")
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("half of a surrogate pair is no character") from None
    return value


def _is_deeper(value: Any, depth: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth < 0 or any(isinstance(item, dict | list) and _is_deeper(item, depth - 1) for item in inner)


def _not_json(text: str) -> Any:
    raise ValueError(f"{text} is not a number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_json(text)


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
            most = kind == "too_long"
            count = context["max_length" if most else "min_length"]
            entries = "entry" if count == 1 else "entries"
            return f"must have at {'most' if most else 'least'} {count} {entries}; got {context['actual_length']}"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters; got {len(given or '')}"
        case "string_too_short":
            return "must not be empty"  # no text has a longer minimum
        case "string_pattern_mismatch":
            return f"must be a text without control characters; got {_short(given)}"
    expected = _EXPECTED.get(kind)
    if expected is not None:
        return f"must be {expected}; got {_short(given)}"
    return f"isn't valid: {finding['msg'][:1].lower()}{finding['msg'][1:]}; got {_short(given)}"


_EXPECTED = {
    "int_type": "an integer",
    "int_parsing": "an integer",
    "int_from_float": "an integer",
    "int_parsing_size": "an integer of a sensible size",
    "number_or_name": "an integer, or a name of the register's enum",
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
