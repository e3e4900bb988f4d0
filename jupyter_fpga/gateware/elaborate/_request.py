"""What the step was asked to do."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import Target, find_target

__all__ = ("Request",)


@dataclass
class Request:
    """The content of ``request.json``, checked."""

    entry: str
    target: Target
    clock_hz: int
    baud: int
    top: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    probes: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path, *, with_clock: bool = True) -> "Request":
        """Read ``{"entry", "top", "params", "target", "sys_clk_freq", "probes"}``; all but the entry may be missing.

        Parameters
        ----------
        with_clock
            Whether the clock that is asked for counts, and not the target's own.

        Raises
        ------
        DesignError
            ``unknown_target``, ``unsupported_target``, ``bad_clock`` or ``bad_entry``.
        """
        data = json.loads(path.read_text("utf-8"))
        target = find_target(data.get("target") or "simulated")
        clock_hz = int((with_clock and data.get("sys_clk_freq")) or target.clock_hz)
        try:
            baud = target.baud(clock_hz)
        except ValueError as error:
            raise DesignError(str(error), code="bad_clock") from None
        entry = data["entry"]
        if Path(entry).suffix not in (".py", ".v", ".sv"):
            raise DesignError(f"{entry} is neither a .py nor a .v file; a design is one of these.", code="bad_entry")
        return cls(
            entry=entry,
            target=target,
            clock_hz=clock_hz,
            baud=baud,
            top=data.get("top") or None,
            params=dict(data.get("params") or {}),
            probes=list(data.get("probes") or ()),
        )
