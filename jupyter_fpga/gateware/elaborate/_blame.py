"""Turns exceptions into sentences about a line of the person's own text."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from jupyter_fpga.gateware.errors import DesignError, Frame

from ._source import Source

__all__ = ("person_errors",)

_LIBRARIES = "the Python standard library, amaranth, migen, litex, numpy and the files of its own bundle"

_LONGEST = 1000
"""Characters of an exception's text that a sentence quotes."""


@contextmanager
def person_errors(source: Source) -> Iterator[None]:
    """Whatever the person's code raises inside comes out as a :class:`DesignError` with their frames only.

    Raises
    ------
    DesignError
        ``syntax_error``, ``import_error``, ``no_platform``, ``unknown_resource``, ``multiple_drivers``,
        ``combinational_loop``, ``clock_domain``, or ``elaboration_failed`` for any other exception.
    """
    try:
        yield
    except DesignError as error:
        if error.file is None:
            frames = _frames(source, error.__traceback__)
            if frames:
                error.file, error.line, error.text = frames[-1].file, frames[-1].line, frames[-1].text
                error.frames = frames
        raise
    except SyntaxError as error:
        raise _syntax_error(source, error) from error
    except BaseException as error:
        raise _explained(source, error) from error


def _syntax_error(source: Source, error: SyntaxError) -> DesignError:
    file = source.own_name(str(error.filename or "")) or source.entry
    # A design may raise one of its own, with anything in it.
    line, column = (value if isinstance(value, int) else None for value in (error.lineno, error.offset))
    what = f"line {line}" if line else "the text"
    return DesignError(
        f"Python can't read {what}: {_one_line(str(error.msg))}.",
        code="syntax_error",
        file=file,
        line=line,
        column=column,
        text=source.line_text(file, line),
    )


def _frames(source: Source, trace: TracebackType | None) -> list[Frame]:
    frames = []
    for summary in traceback.extract_tb(trace):
        file = source.own_name(summary.filename)
        if file is not None and summary.lineno is not None:
            text = source.line_text(file, summary.lineno) or ""
            frames.append(Frame(file, summary.lineno, summary.name, text))
    return frames


def _explained(source: Source, error: BaseException) -> DesignError:
    frames = _frames(source, error.__traceback__)
    file, line = (frames[-1].file, frames[-1].line) if frames else (None, None)
    code, message, place = _meaning(source, error, _last_locals_have_no_platform(source, error))
    if place is not None:
        file, line = source.place(place)
    return DesignError(
        message,
        code=code,
        file=file,
        line=line,
        text=source.line_text(file, line) if file else None,
        frames=frames,
    )


def _last_locals_have_no_platform(source: Source, error: BaseException) -> bool:
    """Whether the innermost of the person's frames has a ``platform`` that is None, and its line uses it."""
    answer = False
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = source.own_name(frame.f_code.co_filename)
        if file is not None:
            local = frame.f_locals
            asked = "platform." in (source.line_text(file, line) or "")
            answer = asked and "platform" in local and local["platform"] is None
    return answer


def _meaning(source: Source, error: BaseException, no_platform: bool) -> tuple[str, str, str | None]:
    """Code, sentence, and the place if the exception's own text knows it better than its traceback."""
    kind, text = type(error).__name__, _one_line(_words(error))
    if no_platform and isinstance(error, AttributeError):
        wanted = re.search(r"has no attribute '(\w+)'", text)
        return (
            "no_platform",
            f"The design asks its platform for {wanted[1] if wanted else 'something'!r}, but in the lab an Amaranth "
            "design gets no platform (it is None); name a port after the resource that it needs, such as led, instead.",
            None,
        )
    if isinstance(error, ModuleNotFoundError):
        return "import_error", f"There is no module {error.name!r} here; a design may import {_LIBRARIES}.", None
    if isinstance(error, SystemExit):
        return "elaboration_failed", f"The design called exit({error.code!r}); remove that.", None
    if kind == "DriverConflict" or text.startswith("Driver-driver conflict"):
        return _multiple_drivers(source, text)
    if kind == "CombinationalCycle":
        return _combinational_loop(source, _words(error))
    if unfit := re.match(r"Object (.+) is not an 'Elaboratable' nor 'Fragment'", text):
        return (
            "elaboration_failed",
            f"elaborate returned {unfit[1]}, and has to return its Module; end it with `return m`.",
            None,
        )
    if kind == "DomainError":
        return "clock_domain", _sentence(f"The clock domains don't fit together: {text}"), None
    if kind == "ConstraintError":
        wanted = re.search(r"Resource not found: (\w+)", text)
        if wanted:
            return (
                "unknown_resource",
                f"The target has no resource {wanted[1]!r}; the lab's documentation lists what it has.",
                None,
            )
    return "elaboration_failed", _sentence(f"{kind}: {text}" if text else kind), None


def _multiple_drivers(source: Source, text: str) -> tuple[str, str, str | None]:
    signal = re.search(r"\(sig (\S+?)\)|drive (\S+) from", text)
    name = (signal[1] or signal[2]) if signal else "A signal"
    places = re.findall(r"([^\s:]+:\d+)", text)
    own = [place for place in places if source.place(place)[0]]
    lines = sorted({source.place(place)[1] or 0 for place in own})
    if len(lines) > 1:
        where = f" in lines {lines[0]} and {lines[1]}"
    elif len(places) > len(own):
        return (
            "multiple_drivers",
            f"The input {name} is driven by the lab and by the design itself in line {lines[0]}; "
            "make it an output, or drive another signal."
            if lines
            else f"The signal {name} has several drivers; drive it from one place.",
            own[0] if own else None,
        )
    else:
        where = ""
    return (
        "multiple_drivers",
        f"The signal {name} is driven from more than one place{where}; drive it from one module and one domain only.",
        own[0] if own else None,
    )


def _combinational_loop(source: Source, text: str) -> tuple[str, str, str | None]:
    signals: list[str] = []
    own: list[str] = []
    for place, signal in re.findall(r"^\s*(\S+:\d+): (?:signal (\S+))?", text, re.MULTILINE):
        if source.place(place)[0]:
            own.append(place)
            if signal and signal not in signals:
                signals.append(signal)
    path = " → ".join([*signals, signals[0]]) if signals else "some signals"
    return (
        "combinational_loop",
        f"The design has a combinational loop, {path}; put a register (m.d.sync) somewhere into it.",
        own[0] if own else None,
    )


def _words(error: BaseException) -> str:
    """What an exception says; one of the design's own may fail even at that."""
    try:
        return str(error)
    except Exception:
        return ""


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
