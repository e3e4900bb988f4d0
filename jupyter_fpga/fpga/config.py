"""How a lab is set up, and what a person asks for with a design: plain data with the reasons for its defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ("BoardConfig", "FpgaConfig", "Hardware", "Quotas", "SubmitOptions", "simulated_boards")


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
    """

    serial: str | None = None
    port: str | None = None
    tty: str | None = None
    power_cycle: tuple[str, ...] = ()
    flash: bool = False


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
    """

    fpga_id: int
    target: str = "simulated"
    driver: str = "simulated"
    tags: tuple[str, ...] = ()
    hardware: Hardware = Hardware()


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


def simulated_boards(count: int) -> tuple[BoardConfig, ...]:
    """``count`` simulated boards, numbered from 0."""
    return tuple(BoardConfig(fpga_id) for fpga_id in range(count))


@dataclass(frozen=True)
class FpgaConfig:
    """The pool and its limits. All times in seconds.

    Parameters
    ----------
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
    resets_before_quarantine
        Failed resets in a row after which a board waits for an operator.
    stream_frames_per_second, stream_burst
        Rate of one owner's streams: sustained, and how many frames may come at once. A true 1 Mbaud wire carries
        16,667 single reads a second.
    alarm_horizon
        The longest single sleep until a known time: a machine that was suspended notices within this.
    several_users
        Whether people who don't trust one another share the lab.
    watermark_seconds
        A reader of events learns after this time how far the log is, when events passed that aren't theirs to see.
    """

    boards: tuple[BoardConfig, ...] = field(default_factory=lambda: simulated_boards(10))
    default_target: str = "simulated"
    session_ttl: float = 3600.0
    max_renew: float = 3600.0
    max_session: float = 8 * 3600.0
    quotas: Quotas = field(default_factory=Quotas)
    builds_in_parallel: int = 2
    lease_seconds: float = 120.0
    reset_backoff: tuple[float, ...] = (0.0, 2.0, 15.0)
    tools_retry: float = 60.0
    resets_before_quarantine: int = 3
    stream_frames_per_second: float = 20_000.0
    stream_burst: int = 20_000
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
    flash
        Write the design into the board's flash as well, so that the board starts with it from then on.
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
    flash: bool = False
