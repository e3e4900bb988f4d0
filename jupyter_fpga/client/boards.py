"""A programmed board in a person's hands."""

import asyncio
import operator
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.waveform import Waveform

from . import ports
from .batch import Batch
from .bench import Buttons, Leds, Switches, Uart
from .bus import Bus
from .captures import Capture, arm, stop_quietly
from .errors import Conflict, Invalid, LabError, NotFound, TimedOut
from .etherbone import EtherbonePort, open_etherbone
from .jobs import Job, Lab, accepted
from .live import LiveLink
from .loop import blocking, loop, on_the_loop
from .memories import Memories
from .ports import Operation
from .registers import Register, Registers
from .report import Report
from .tables import html_table, text_table
from .triggers import Trigger

__all__ = ("BoardHandle", "BoardJob")

#: Seconds between two looks at a register that somebody waits for: there is no event for a value in a design.
LOOK_EVERY = 0.005

_GIVEN_BACK = "the board was given back; run the design's cell again to get one"
#: What a handle shows of itself from the refusal on that says that its design is on the board no more.
_OVER = {
    "session_ended": _GIVEN_BACK,
    "fpga_not_reserved": _GIVEN_BACK,
    "not_session_holder": _GIVEN_BACK,
    "design_replaced": "the board runs another design by now",
}


class BoardHandle:
    """A board that one holds, with one's own design on it.

    ``board.regs`` are the design's registers by name, :meth:`read` and :meth:`write` take byte offsets in its window.
    Every operation has an awaitable twin whose name starts with ``a``.

    Parameters
    ----------
    lab
        The lab.
    job
        The job that programs the board; until it is complete, the first use waits for it.
    name
        What the person calls the board.
    """

    _settable = ("lab", "job", "name")

    def __init__(self, lab: Lab, job: Job, name: str | None = None) -> None:
        self.lab = lab
        self.job = job
        self.name = name
        self._manifest: Manifest | None = None
        self._session_id: str | None = None
        self._over: str | None = None
        self._bus = Bus(lab)
        self._etherbone: EtherbonePort | None = None
        self._captures: set[asyncio.Task[Any]] = set()

    def __setattr__(self, name: str, value: Any) -> None:
        """Only the handle's own attributes: ``board.duty = 40`` would look like a register, and write nothing."""
        if not name.startswith("_") and name not in self._settable:
            register = f"{self.name or 'board'}.regs.{name}"
            raise Invalid(
                f"A board handle has no “{name}” to set. A register is set by `{register} = …`.",
                code="no_such_attribute",
            )
        super().__setattr__(name, value)

    def _reprogrammed(self, job: Job) -> None:
        """The same board has got another design: everything known about the old one is forgotten."""
        self._bus.drop()
        self.job, self._manifest, self._over = job, None, None
        for made in ("regs", "memories", "uart"):
            vars(self).pop(made, None)

    # --- What is on it --------------------------------------------------------------------------------------------

    @on_the_loop
    async def aready(self, timeout: float | None = None) -> "BoardHandle":
        """Wait until the design runs on the board; raises what its job failed with."""
        if self._manifest is None:
            await self.job.await_(timeout)
            manifest, session = await asyncio.gather(
                self.job.amanifest(), self.lab.door.get(f"fpga/{self.job.fpga_id}/session")
            )
            self._session_id, self._manifest = session.get("session_id"), manifest
        return self

    ready = blocking(aready)

    @property
    def fpga_id(self) -> int:
        """The board's number."""
        if self.job.fpga_id is None:
            self.ready()
        return operator.index(self.job.fpga_id)  # type: ignore[arg-type]

    @property
    def manifest(self) -> Manifest:
        """What the build produced, as data."""
        if self._manifest is None:
            self.ready()
            assert self._manifest is not None
        return self._manifest

    # Not properties: once made they are plain attributes, which Tab completion looks into without calling anything.
    @cached_property
    def regs(self) -> Registers:
        """The design's registers by name."""
        return Registers(self, self.manifest.registers)

    @cached_property
    def memories(self) -> Memories:
        """The design's memories and bus regions by name."""
        return Memories(self, self.manifest.memories)

    @property
    def report(self) -> Report:
        """The build report."""
        self.ready()
        return self.job.report()

    @property
    def log(self) -> str:
        """The log of the build and of the programming."""
        return self.job.logs()

    # --- The bus --------------------------------------------------------------------------------------------------

    async def run(self, operations: Sequence[Operation]) -> list[list[int]]:
        """Do operations in order: see :class:`~jupyter_fpga.client.bus.Bus`."""
        await self.aready()
        try:
            return await self._bus.run(self.fpga_id, self.manifest.digest, operations)
        except LabError as error:
            self._over = _OVER.get(error.code, self._over)
            raise

    def _check(self, operation: Operation) -> None:
        """Refuse, before anything is sent, an access that no word of the window answers."""
        size = self.manifest.window.size
        count = 1 if operation.fixed else operation.count if operation.data is None else len(operation.data)
        if operation.offset % 4 or operation.offset < 0 or operation.offset + 4 * count > size or count < 1:
            last = max(0, size - 4)
            raise Invalid(
                f"The window takes byte offsets 0x0 to {last:#x} in steps of 4; "
                f"got {count} {'word' if count == 1 else 'words'} at {operation.offset:#x}.",
                code="out_of_window",
                detail={"size": size},
            )

    @on_the_loop
    async def aread(self, address: int, count: int = 1, *, fixed: bool = False) -> list[int]:
        """Read words.

        Parameters
        ----------
        address
            Byte offset in the window, a multiple of 4.
        count
            Words to read.
        fixed
            Read the same address again and again, as a FIFO wants it.

        Raises
        ------
        LabError
            ``out_of_window`` before anything is sent; ``bus_error``, ``session_ended``, ``link_lost`` …
        """
        operation = ports.read(address, count, fixed=fixed)
        await self.aready()
        self._check(operation)
        return (await self.run([operation]))[0]

    @on_the_loop
    async def awrite(self, address: int, words: int | Sequence[int], *, fixed: bool = False) -> None:
        """Write one word or several: see :meth:`aread`."""
        values = [operator.index(words)] if hasattr(words, "__index__") else [operator.index(word) for word in words]
        wide = [value for value in values if not 0 <= value < 1 << 32]
        if wide:
            raise Invalid(f"A word takes 0 to 0xffffffff; got {wide[0]:#x}.", code="value_too_wide")
        operation = ports.write(address, values, fixed=fixed)
        await self.aready()
        self._check(operation)
        await self.run([operation])

    @on_the_loop
    async def await_for(self, register: str, value: Any = None, *, timeout: float = 10.0) -> int:
        """Look at a register until it has a value.

        Parameters
        ----------
        register
            Its name; ``"status.done"`` for a field.
        value
            The value, or a function that says whether a value is the awaited one. ``None``: anything but zero.
        timeout
            Seconds to wait.

        Raises
        ------
        TimedOut
            The value didn't come; the message tells the last one.
        """
        await self.aready()
        name, _, part = register.partition(".")
        entry = self.regs[name]
        if not isinstance(entry, Register):
            raise Invalid(f"“{name}” is an array; wait for one of its elements with your own loop.", code="is_an_array")
        wanted: Callable[[int], bool] = (
            value if callable(value) else bool if value is None else lambda seen: seen == value
        )
        seen = await (entry.afield(part) if part else entry.aread())
        try:
            async with asyncio.timeout(timeout):
                while not wanted(seen):
                    await asyncio.sleep(LOOK_EVERY)
                    seen = await (entry.afield(part) if part else entry.aread())
        except TimeoutError:
            sought = "the awaited value" if callable(value) else "not zero" if value is None else repr(value)
            raise TimedOut(
                f"“{register}” was not {sought} within {timeout:g} s; it was {seen!r} last.", code="not_reached"
            ) from None
        return seen

    def batch(self) -> Batch:
        """Collect many operations and do them in one trip: ``with board.batch() as b: …``."""
        return Batch(self, self.manifest.registers, self._check)

    @on_the_loop
    async def astream(self) -> LiveLink:
        """Open the live path now; register access opens it by itself when it is first needed."""
        await self.aready()
        link = await self._bus.live(self.fpga_id, self.manifest.digest)
        if link is None:
            raise Conflict(
                "Nothing here lets a WebSocket pass to the lab; registers are accessed by jobs instead.",
                code="no_websocket",
            )
        return link

    # --- Inside the design ----------------------------------------------------------------------------------------

    @on_the_loop
    async def aarm(
        self,
        signals: str | Sequence[str] | None = None,
        *,
        trigger: Trigger | None = None,
        depth: int | None = None,
        pre: int | None = None,
        every: int = 1,
        timeout: float = 10.0,
        via: str | None = None,
    ) -> Capture:
        """Begin to capture signals; returns once the trigger is looked for, so that what comes now is seen.

        The same as :meth:`acapture`, for those who meet the trigger themselves: ``with board.arm("count", trigger=
        "duty changes") as capture: board.regs.duty = 3; capture.result()``.
        """
        await self.aready()
        if ending := [task for task in self._captures if task.cancelling()]:
            # Whoever was interrupted and tries again isn't refused for the sake of the first.
            await asyncio.wait(ending)
        return await arm(
            self.lab.door,
            self.fpga_id,
            self.manifest.digest,
            signals,
            trigger=trigger,
            depth=depth,
            pre=pre,
            every=every,
            timeout=timeout,
            via=via,
        )

    @on_the_loop
    async def acapture(
        self,
        signals: str | Sequence[str] | None = None,
        *,
        trigger: Trigger | None = None,
        depth: int | None = None,
        pre: int | None = None,
        every: int = 1,
        timeout: float = 10.0,
        via: str | None = None,
    ) -> Waveform:
        """Capture signals of the running design, a sample at the end of each clock cycle.

        Parameters
        ----------
        signals
            Their names, or the ends of them (``count`` for ``inner.count``), in a list or with commas between; all of
            the design's own when None. On a simulated board any signal, also of the SoC around the design
            (``soc.…``); on a real board those that were built in with ``--probe``.
        trigger
            What to wait for, as in ``"count == 5"``, ``"led rises"``, ``["a rises", "b falls"]``: see
            :mod:`jupyter_fpga.client.triggers`. Nothing when None.
        depth
            Samples; 256 or what the analyzer has when None.
        pre
            Of them, those before the trigger; a quarter when None.
        every
            Clock cycles from sample to sample.
        timeout
            Seconds to wait for the trigger.
        via
            ``"analyzer"``: on a simulated board with probes, by their analyzer, as on a real board.

        Raises
        ------
        NotTriggered
            The trigger wasn't met in time; ``waveform`` has the newest samples.
        LabError
            ``capture_rejected``, ``capture_running``, ``session_ended`` …
        """
        task = asyncio.current_task()
        assert task is not None
        self._captures.add(task)
        arming = asyncio.ensure_future(
            self.aarm(signals, trigger=trigger, depth=depth, pre=pre, every=every, timeout=timeout, via=via)
        )
        try:
            return await (await asyncio.shield(arming)).aresult()
        except asyncio.CancelledError:
            # Begun or not, it isn't left behind.
            await stop_quietly(arming)
            raise
        finally:
            self._captures.discard(task)

    arm = blocking(aarm)
    capture = blocking(acapture)

    # --- LiteX's own tools ----------------------------------------------------------------------------------------

    @on_the_loop
    async def aetherbone(self, port: int = 0, host: str = "127.0.0.1") -> EtherbonePort:
        """Open a port on this machine for LiteX's own tools; the one that is open when it is called again.

        It ends with the board session, or when the board gets another design.

        Parameters
        ----------
        port
            Any that is free when 0; LiteX's tools look at 1234 when they aren't told.
        host
            What to listen on. Whoever can reach it can use the board.

        Raises
        ------
        LabError
            ``cannot_listen``, ``session_ended``, ``design_replaced`` …
        """
        await self.aready()
        opened = self._etherbone
        if opened is not None and not opened.closed and opened.host == host and port in (0, opened.port):
            return opened
        await self._close_etherbone()
        opened = await open_etherbone(self.lab.door, self.fpga_id, host=host, port=port, design=self.manifest.digest)
        self._etherbone = opened
        return opened

    async def _close_etherbone(self) -> None:
        opened, self._etherbone = self._etherbone, None
        if opened is not None:
            await opened.aclose()

    @on_the_loop
    async def aartifact(self, name: str) -> bytes:
        """A file of the build: ``csr.json``, ``csr.csv``, ``top.v``, ``bitstream`` or ``report``."""
        await self.aready()
        return await self.job.aartifact(name)

    @on_the_loop
    async def acsr_csv(self, path: str | Path = "csr.csv") -> Path:
        """Write the ``csr.csv`` that LiteX's tools want to a file; where that is."""
        written = Path(path)
        content = await self.aartifact("csr.csv")
        await asyncio.to_thread(written.write_bytes, content)
        return written

    read = blocking(aread)
    write = blocking(awrite)
    stream = blocking(astream)
    etherbone = blocking(aetherbone)
    artifact = blocking(aartifact)
    csr_csv = blocking(acsr_csv)

    def wait_for(self, register: str, value: Any = None, *, timeout: float = 10.0) -> int:
        """Look at a register until it has a value: see :meth:`await_for`."""
        return loop.call(self.await_for, register, value, timeout=timeout)

    # --- The bench ------------------------------------------------------------------------------------------------

    async def _number(self) -> int:
        await self.aready()
        return self.fpga_id

    @property
    def leds(self) -> Leds:
        """The LEDs, as the bench sees them."""
        return Leds(self.lab.door, self._number)

    @property
    def buttons(self) -> Buttons:
        """The push buttons: ``board.buttons[0].press()``."""
        return Buttons(self.lab.door, self._number)

    @property
    def switches(self) -> Switches:
        """The slide switches: ``board.switches.value = 5``, ``board.switches[2] = 1``."""
        return Switches(self.lab.door, self._number)

    @cached_property
    def uart(self) -> Uart:
        """The console: ``board.uart.write("hello")``, ``board.uart.read()``."""
        return Uart(self.lab.door, self._number)

    # --- The board session ----------------------------------------------------------------------------------------

    @on_the_loop
    async def asession(self) -> dict[str, Any]:
        """The board session: ``expires_at``, ``remaining_seconds`` …"""
        await self.aready()
        return await self.lab.door.get(f"fpga/{self.fpga_id}/session")  # type: ignore[no-any-return]

    @on_the_loop
    async def arenew(self) -> dict[str, Any]:
        """Hold the board for longer."""
        await self.aready()
        return await self.lab.door.post(f"fpga/{self.fpga_id}/session/renew")  # type: ignore[no-any-return]

    @on_the_loop
    async def arelease(self) -> Job:
        """Give the board back; the job resets it."""
        await self.aready()
        self._bus.drop()
        await self._close_etherbone()
        job = await accepted(self.lab, "reset", f"fpga/{self.fpga_id}/session/release")
        self._over = _GIVEN_BACK
        return job

    @on_the_loop
    async def areset(self) -> Job:
        """Reset the board, which ends the session."""
        await self.aready()
        self._bus.drop()
        await self._close_etherbone()
        job = await accepted(self.lab, "reset", f"fpga/{self.fpga_id}/reset")
        self._over = _GIVEN_BACK
        return job

    @on_the_loop
    async def aheld(self) -> bool:
        """Whether the board session that the design was programmed in goes on."""
        if self._session_id is None:
            return False
        try:
            session = await self.lab.door.get(f"fpga/{self.job.fpga_id}/session")
        except NotFound:
            return False
        return bool(session.get("session_id") == self._session_id)

    session = blocking(asession)
    renew = blocking(arenew)
    release = blocking(arelease)
    reset = blocking(areset)
    held = blocking(aheld)

    # --- How it looks ---------------------------------------------------------------------------------------------

    def _facts(self) -> list[list[str]]:
        found = self._manifest
        if found is None:
            return [["design", self.job.status]]
        facts = [
            *([["no longer", self._over]] if self._over else []),
            ["design", found.top],
            ["target", found.target],
            ["clock", f"{found.clock_hz / 1e6:g} MHz"],
            ["registers", ", ".join(register.name for register in found.registers) or "none"],
        ]
        if found.memories:
            facts.append(["memories", ", ".join(memory.name for memory in found.memories)])
        if found.pins:
            facts.append(["pins", ", ".join(_pin(pin.resource, pin.port) for pin in found.pins)])
        return facts

    def __repr__(self) -> str:
        return text_table(["board", self.name or "_fpga"], self._facts())

    def _repr_html_(self) -> str:
        return html_table(["board", self.name or "_fpga"], self._facts())


class BoardJob(Job):
    """A job that puts a design onto a board, or uses one: :meth:`board` is that board."""

    def board(self) -> BoardHandle:
        """The handle of the board; its first use waits for the job."""
        return BoardHandle(self.lab, self)


def _pin(resource: str, port: str) -> str:
    return resource if resource == port else f"{port} on {resource}"
