"""How a lab is set up, and what a person asks for with a design: plain data with the reasons for its defaults."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_fpga.errors import Invalid

__all__ = (
    "BoardConfig",
    "FpgaConfig",
    "Hardware",
    "Quotas",
    "SubmitOptions",
    "board_of_text",
    "pool_of",
    "simulated_boards",
)


@dataclass(frozen=True)
class Hardware:
    """Which board on the desk a board of the pool is, and what is peculiar to it.

    Parameters
    ----------
    serial
        Serial number of its USB chip.
    port
        Where it is plugged in, as the kernel says it (``1-2.3``): for boards without a serial number of their own.
        With neither, it is the only board of its target that is there.
    tty
        Its serial line, where that isn't its own USB chip's: ``/dev/serial/by-id/…``.
    power_cycle
        A command that takes its power away and gives it back, such as ``uhubctl -l 1-2 -p 3 -a cycle``.
    flash
        The lab itself programs it by its flash, since its FPGA's own memory can't be written.
    sram
        Its FPGA's own memory can be written, though that of such a board as it is sold can't: its jumpers were moved.
    """

    serial: str | None = None
    port: str | None = None
    tty: str | None = None
    power_cycle: tuple[str, ...] = ()
    flash: bool = False
    sram: bool = False


@dataclass(frozen=True)
class BoardConfig:
    """One board of the pool.

    Parameters
    ----------
    fpga_id
        Its number, 0 and up.
    target
        The kind of board.
    driver
        Key of the driver that reaches it.
    tags
        Words that a submission to any board may ask for.
    hardware
        Which one it is, for drivers that reach boards on a desk.
    found
        The lab found it by itself.
    """

    fpga_id: int
    target: str = "simulated"
    driver: str = "simulated"
    tags: tuple[str, ...] = ()
    hardware: Hardware = Hardware()
    found: bool = False


@dataclass(frozen=True)
class Quotas:
    """How much of the lab one person may take.

    Parameters
    ----------
    max_queued_jobs
        Jobs of one owner that wait at the same time.
    max_held_boards
        Boards of one owner at the same time; ``None``: as many as there are.
    """

    max_queued_jobs: int = 256
    max_held_boards: int | None = None


PROCESSES = ("simulated", "simulated_ice40")
"""Targets whose boards are processes."""

_KEYS = ("target", "serial", "port", "tty", "tag", "power_cycle", "flash", "sram", "id")
"""What a board on a desk can be told in a text."""


def board_of_text(text: str, fpga_id: int) -> BoardConfig:
    """A board on a desk from ``target=icebreaker,serial=A1,…``, or one that is a process, ``target=simulated_ice40``.

    Keys: ``target``; ``serial``, ``port``, ``tty``, ``power_cycle``, ``flash`` and ``sram`` (true or false), as of
    :class:`Hardware`; ``tag``, as often as there are tags; ``id``, its number. A value with a comma in it is quoted.

    Parameters
    ----------
    fpga_id
        Its number, when the text doesn't say it.

    Raises
    ------
    Invalid
        ``board_rejected``
    """
    given: dict[str, list[str]] = {}
    for word in _words(text):
        key, is_, value = word.partition("=")
        if not is_ or not value or key not in _KEYS:
            raise _rejected(text, f"{word!r} is none of {', '.join(f'{known}=…' for known in _KEYS)}")
        if key in given and key != "tag":
            raise _rejected(text, f"{key} is said twice")
        given.setdefault(key, []).append(value)
    one = {key: values[0] for key, values in given.items()}
    if "target" not in one:
        raise _rejected(text, "it needs a target=…, and `jupyter fpga targets` lists what there is")
    for key in ("flash", "sram"):
        if one.get(key) not in (None, "true", "false"):
            raise _rejected(text, f"{key} is true or false, not {one[key]!r}")
    if not re.fullmatch(r"[0-9]{1,9}", one.get("id", "0")):
        raise _rejected(text, f"id is a number from 0 on, not {one['id']!r}")
    try:
        power_cycle = tuple(shlex.split(one.get("power_cycle", "")))
    except ValueError as error:
        raise _rejected(text, "the command of power_cycle has no closing quotation") from error
    hardware = Hardware(
        serial=one.get("serial"),
        port=one.get("port"),
        tty=one.get("tty"),
        power_cycle=power_cycle,
        flash=one.get("flash") == "true",
        sram=one.get("sram") == "true",
    )
    tags = tuple(given.get("tag", ()))
    # Whoever says where it is plugged in means one on a desk.
    driver = "simulated" if one["target"] in PROCESSES and hardware == Hardware() else "serial"
    return BoardConfig(int(one.get("id", fpga_id)), one["target"], driver, tags, hardware)


def _words(text: str) -> list[str]:
    reader = shlex.shlex(text, posix=True)
    reader.whitespace, reader.whitespace_split, reader.commenters = ",", True, ""
    try:
        return [word.strip() for word in reader]
    except ValueError as error:
        raise _rejected(text, f"{str(error).lower().rstrip('.')}") from error


def _rejected(text: str, why: str) -> Invalid:
    return Invalid(f"The board “{text}” can't be taken: {why}.", code="board_rejected")


def pool_of(simulated: int, desk: Sequence[str], discover: Sequence[str] = ()) -> tuple[tuple[BoardConfig, ...], str]:
    """The boards of a lab, and its default target.

    Parameters
    ----------
    simulated
        How many simulated boards, numbered from 0.
    desk
        The boards on a desk, as texts (:func:`board_of_text`), which are numbered after those.
    discover
        Targets of boards that the lab finds by itself.

    Raises
    ------
    Invalid
        ``board_rejected``
    """
    boards = list(simulated_boards(simulated))
    for text in desk:
        board = board_of_text(text, max((each.fpga_id for each in boards), default=-1) + 1)
        if any(each.fpga_id == board.fpga_id for each in boards):
            raise _rejected(text, f"there is another board {board.fpga_id}")
        boards.append(board)
    targets = [*(board.target for board in boards), *discover, "simulated"]
    return tuple(boards), targets[0]


def simulated_boards(count: int) -> tuple[BoardConfig, ...]:
    """``count`` simulated boards, numbered from 0."""
    return tuple(BoardConfig(fpga_id) for fpga_id in range(count))


@dataclass(frozen=True)
class FpgaConfig:
    """The pool and its limits. All times in seconds.

    Parameters
    ----------
    discover
        Targets of which every board that is plugged in joins the pool.
    session_ttl
        How long a board session lasts.
    max_renew
        A renewal never puts the end further than this from now.
    max_session
        A session never lasts longer than this, however often it is renewed.
    builds_in_parallel
        Builds that run at the same time.
    lease_seconds
        How long a claimed job is its worker's without a sign of life; renewed at half of it.
    reset_backoff
        Waits before the lab's own resets of a board in error: before the first, the second …
    tools_retry
        Wait before the next reset when there was no base SoC to program: tools are missing, or being installed.
    plugged_in_wait
        Wait before the reset of a board that was plugged in: udev's rules give rights to it some tenths of a second
        after the kernel tells of it.
    resets_before_quarantine
        Failed resets in a row after which a board waits for an operator.
    stream_frames_per_second, stream_burst
        Rate of one owner's streams: sustained, and how many frames may come at once. A true 1 Mbaud wire carries
        25,000 single reads a second, by frames of the lab's.
    alarm_horizon
        The longest single sleep until a known time: a machine that was suspended notices within this.
    several_users
        Whether people who don't trust one another share the lab.
    watermark_seconds
        A reader of events learns after this time how far the log is, when events passed that aren't theirs to see.
    """

    boards: tuple[BoardConfig, ...] = field(default_factory=lambda: simulated_boards(10))
    discover: tuple[str, ...] = ()
    default_target: str = "simulated"
    session_ttl: float = 3600.0
    max_renew: float = 3600.0
    max_session: float = 8 * 3600.0
    quotas: Quotas = field(default_factory=Quotas)
    builds_in_parallel: int = 2
    lease_seconds: float = 120.0
    reset_backoff: tuple[float, ...] = (0.0, 2.0, 15.0)
    tools_retry: float = 60.0
    plugged_in_wait: float = 1.0
    resets_before_quarantine: int = 3
    stream_frames_per_second: float = 30_000.0
    stream_burst: int = 30_000
    alarm_horizon: float = 300.0
    watermark_seconds: float = 1.0
    several_users: bool = False

    def board(self, fpga_id: int) -> BoardConfig | None:
        """The configuration of one board, ``None`` when there is no such board."""
        return next((board for board in self.boards if board.fpga_id == fpga_id), None)


@dataclass(frozen=True)
class SubmitOptions:
    """What a person asks for with a design.

    Parameters
    ----------
    target, tags
        The kind of board, and words that the board must carry. Default: the lab's default target, no tags.
    top
        Name of the object, class or module that is the design's top.
    sys_clk_freq
        Frequency of the system clock, Hz.
    timing_target_mhz
        Frequency that place and route must reach, MHz.
    seed, explore
        Where place and route begins, and with how many seeds it is tried.
    probes
        Names of signals that get an analyzer.
    params
        Names and values for the design.
    priority
        Higher is sooner; only operators may go above 0.
    idempotency_key
        The same key with the same body gets the first answer again.
    use_cache
        Whether finished stages of equal builds may be used.
    verify
        Fail the build unless its bitstream, simulated, answers what the design does.
    flash
        Write the design into the board's flash as well, so that the board starts with it from then on; for operators.
    """

    target: str | None = None
    tags: tuple[str, ...] = ()
    top: str | None = None
    sys_clk_freq: int | None = None
    timing_target_mhz: float | None = None
    seed: int = 1
    explore: int = 1
    probes: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    idempotency_key: str | None = None
    use_cache: bool = True
    verify: bool = False
    flash: bool = False
