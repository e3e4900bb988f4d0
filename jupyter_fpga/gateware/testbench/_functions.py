"""Finds the testbenches and processes of a person's module."""

import inspect
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from jupyter_fpga.gateware.elaborate._program import MODULE, Program
from jupyter_fpga.gateware.errors import DesignError

__all__ = ("Functions", "find_functions")

Function = Callable[..., Coroutine[Any, Any, Any]]

_TESTBENCH = re.compile(r"(?:testbench|bench|tb)(?:_\w+|\d+)?|\w+_(?:testbench|bench|tb)")
_PROCESS = re.compile(r"process(?:_\w+|\d+)?|\w+_process")
_EXAMPLE = "async def testbench(ctx)"


@dataclass
class Functions:
    """Coroutine functions by name, each taking the simulator's context only."""

    testbenches: dict[str, Function] = field(default_factory=dict)
    processes: dict[str, Function] = field(default_factory=dict)


def find_functions(program: Program, dut: Any) -> Functions:
    """The testbenches and processes, in the order of their definition; those that want the design get it.

    Raises
    ------
    DesignError
        ``bad_testbench``: a function with such a name can't be one; or there are coroutine functions, and none of them
        has such a name.
    """
    found = Functions()
    others = []
    for name, value in program.module.__dict__.items():
        if not inspect.isfunction(value) or value.__module__ != MODULE:
            continue
        kinds = ((_TESTBENCH, found.testbenches), (_PROCESS, found.processes))
        kind = next((known for pattern, known in kinds if pattern.fullmatch(name)), None)
        if kind is not None:
            kind[name] = _bound(program, name, value, dut)
        elif inspect.iscoroutinefunction(value):
            others.append(name)
    if others and not found.testbenches:
        value = program.module.__dict__[others[0]]
        raise _error(
            program,
            value,
            f"None of the cell's coroutines ({', '.join(others)}) has the name of a testbench; write {_EXAMPLE}, or a "
            "name that begins with testbench_.",
        )
    return found


def _bound(program: Program, name: str, function: Function, dut: Any) -> Function:
    """The function, taking the context only."""
    if not inspect.iscoroutinefunction(function):
        raise _error(program, function, f"{name} is not a coroutine; write async def {name}(ctx), and await in it.")
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    needed = [parameter for parameter in parameters if parameter.default is parameter.empty]
    if not parameters or len(needed) > 2:
        raise _error(
            program,
            function,
            f"{name} takes {len(needed) or 'no'} arguments; a testbench takes ctx, or ctx and the design: "
            f"async def {name}(ctx, dut).",
        )
    if len(needed) < 2:
        return function

    async def with_design(ctx: Any) -> None:
        await function(ctx, dut)

    return with_design


def _error(program: Program, function: Function, message: str) -> DesignError:
    file, line = program.source.entry, function.__code__.co_firstlineno
    text = program.source.line_text(file, line)
    return DesignError(message, code="bad_testbench", file=file, line=line, text=text)
