"""What a person's design can do wrong, with the place in their own text."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jupyter_fpga.errors import Invalid

__all__ = ("EXIT_DESIGN_ERROR", "DesignError", "Frame")

#: Exit code of a step that ended with an error of the design, told in ``error.json``.
EXIT_DESIGN_ERROR = 3


@dataclass(frozen=True)
class Frame:
    """One call in the person's own text."""

    file: str
    line: int
    function: str
    text: str


class DesignError(Invalid):
    """The design is at fault, and this is where.

    Parameters
    ----------
    message
        One sentence: what happened, what was expected, what to do.
    code
        Machine code; see the list in :mod:`jupyter_fpga.gateware.elaborate`.
    file, line, column
        The place in the submitted text, counted from 1; ``None`` where there is none.
    text
        That line, as the person wrote it.
    frames
        The person's own calls, the outermost first.
    """

    default_code = "elaboration_failed"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        text: str | None = None,
        frames: Sequence[Frame] = (),
    ) -> None:
        super().__init__(message, code=code)
        self.file = file
        self.line = line
        self.column = column
        self.text = text
        self.frames = list(frames)

    def to_json(self) -> dict[str, Any]:
        """The content of ``error.json``."""
        return {
            "code": self.code,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "text": self.text,
            "frames": [asdict(frame) for frame in self.frames],
        }
