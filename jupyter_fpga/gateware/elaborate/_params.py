"""Hands the person's parameters to the top's constructor."""

import inspect
from typing import Any

from jupyter_fpga.gateware.errors import DesignError

from ._program import Program, like_default

__all__ = ("constructor_arguments",)


def constructor_arguments(
    program: Program, cls: type, params: dict[str, Any], supplied: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The arguments that ``cls`` is called with.

    Parameters
    ----------
    params
        All that the person gave. Those that aren't arguments must have been module constants.
    supplied
        Arguments that the lab itself gives.

    Raises
    ------
    DesignError
        ``unknown_param``: neither an argument nor a constant has that name.
        ``missing_param``: an argument has neither a value nor a default.
    """
    known = {
        name: parameter
        for name, parameter in _parameters(cls).items()
        if name not in supplied and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    arguments = {
        name: like_default(name, value, known[name].default) for name, value in params.items() if name in known
    }
    check_known(program, params, list(known))
    missing = [
        name for name, parameter in known.items() if parameter.default is parameter.empty and name not in arguments
    ]
    if missing:
        raise DesignError(
            f"{cls.__name__} needs {_listed(missing)} to be made; give it a default in __init__, "
            f"or a value with --param {missing[0]}=….",
            code="missing_param",
        )
    return arguments


def takes(cls: type, name: str) -> bool:
    """Whether the constructor of ``cls`` has an argument of that name, or takes any."""
    parameters = _parameters(cls)
    return name in parameters or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())


def check_known(program: Program, params: dict[str, Any], arguments: list[str]) -> None:
    """Refuse parameters that nothing in the design has the name of."""
    for name in params:
        if name not in arguments and name not in program.given:
            names = [*arguments, *(constant for constant in program.constants if constant not in arguments)]
            has = f"it has {_listed(names)}" if names else "it has none"
            raise DesignError(f"The design has no parameter {name!r}; {has}.", code="unknown_param")


def _parameters(cls: type) -> dict[str, inspect.Parameter]:
    if str(getattr(inspect.getattr_static(cls, "__init__"), "__module__", "")).partition(".")[0] == "amaranth":
        # A component without a constructor: what Amaranth's own takes is for subclasses to give.
        return {}
    try:
        return dict(inspect.signature(cls).parameters)
    except (TypeError, ValueError):
        return {}


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
