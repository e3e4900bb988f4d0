"""Arithmetic with something that has a value to be read: ``regs.count + 1``, and so ``regs.count += 1``."""

import operator
from collections.abc import Callable
from typing import Any

__all__ = ("Arithmetic",)


class Arithmetic:
    """Operators that read the value, whenever they are used, and give a plain number."""

    read: Callable[[], Any]

    def __neg__(self) -> Any:
        return -self.read()

    def __invert__(self) -> Any:
        return ~self.read()


def _forward(function: Callable[[Any, Any], Any]) -> Callable[[Arithmetic, Any], Any]:
    def method(self: Arithmetic, other: Any) -> Any:
        return function(self.read(), other.read() if isinstance(other, Arithmetic) else other)

    return method


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Arithmetic, Any], Any]:
    def method(self: Arithmetic, other: Any) -> Any:
        return function(other, self.read())

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor"):
    _function = getattr(operator, f"__{_name}__")
    setattr(Arithmetic, f"__{_name}__", _forward(_function))
    setattr(Arithmetic, f"__r{_name}__", _reflected(_function))
