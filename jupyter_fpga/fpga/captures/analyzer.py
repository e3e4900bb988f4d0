"""The analyzer that was built in with a design's probes: LiteScope, over the board's own link.

What LiteScope does is told in its source, ``litescope/core.py`` of 2024.12: a memory of steps, each a mask and a value,
of which one is compared in each cycle; a sampler that passes on one cycle in so many; and a FIFO that keeps the newest
``offset`` samples until the steps are used up, then goes on to ``length``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from jupyter_fpga.fpga.drivers import Captured, CapturePlan, Ended, Signal, Term
from jupyter_fpga.fpga.shapes import Refused
from jupyter_fpga.fpga.wishbone import Operation
from jupyter_fpga.gateware.manifest import EDGE_UNITS, WORD_BITS, Analyzer, to_words

__all__ = ("LiteScope",)

LEAD = 4
"""Samples that are captured before those that were asked for: LiteScope's FIFO lets go of the sample in which the
trigger is met when it is told to keep none before it."""

LOOK_EVERY = 0.005
"""Seconds between two looks whether it is done: a board has no way to speak up by itself."""


class Bus(Protocol):
    """A user's way onto the board's link."""

    async def run(
        self, operations: Sequence[Operation], *, on_done: Callable[[int, list[int]], None] | None = None
    ) -> list[list[int]]:
        """Carry out operations in order."""
        ...


class LiteScope:
    """See :class:`~jupyter_fpga.fpga.captures.instrument.Instrument`.

    Parameters
    ----------
    analyzer
        As the manifest describes it.
    bus
        A way onto the link, which stays open for others meanwhile: nobody else needs the analyzer's registers.
    sleep
        Waits some seconds.
    """

    def __init__(
        self, analyzer: Analyzer, bus: Bus, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._analyzer = analyzer
        self._registers = analyzer.registers()
        self._bus = bus
        self._sleep = sleep
        self._stopped = False
        self.depth = analyzer.depth // 2
        self.most = analyzer.depth - LEAD

    async def signals(self) -> Sequence[Signal]:
        return [Signal(probe.name, probe.width) for probe in self._analyzer.probes]

    def unknown(self, name: str) -> str:
        probes = ", ".join(probe.name for probe in self._analyzer.probes)
        return f"{name} is not among the probes that were built in ({probes}); build the design with that probe too."

    def check(self, plan: CapturePlan) -> None:
        self._steps(plan)

    # --- The trigger

    def _steps(self, plan: CapturePlan) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Masks and values over the bits of a sample, and what each edge unit looks for: masks of rise and fall.

        Raises
        ------
        Refused
            More edges than there are units, or a step that can't be met.
        """
        units: list[tuple[int, int]] = []
        steps = []
        for step in plan.trigger:
            mask = value = 0
            for term in step:
                more, bits = self._term(term, units)
                if (value ^ bits) & mask & more:
                    raise Refused("one step of the trigger asks for two values of the same bits; none can be met.")
                mask, value = mask | more, value | bits
            steps.append((mask, value))
        if len(units) > EDGE_UNITS:
            raise Refused(
                f"the trigger looks for {len(units)} different edges, and the analyzer tells {EDGE_UNITS} apart; "
                "look for levels or values in their place."
            )
        return steps, units

    def _term(self, term: Term, units: list[tuple[int, int]]) -> tuple[int, int]:
        lsb = self._analyzer.probes[term.signal].lsb
        mask = term.mask << lsb
        if term.kind == "value":
            return mask << EDGE_UNITS, term.value << lsb << EDGE_UNITS
        unit = (mask if term.kind != "fall" else 0, mask if term.kind != "rise" else 0)
        if unit not in units:
            units.append(unit)
        return 1 << units.index(unit), 1 << units.index(unit)

    # --- Registers

    def _write(self, name: str, value: int) -> Operation:
        address, words, _ = self._registers[name]
        return Operation.write(address, to_words(value, words))

    async def _read(self, name: str) -> int:
        ((value,),) = await self._bus.run([Operation.read(self._registers[name][0], 1)])
        return value

    async def _until(self, name: str, met: Callable[[int], bool]) -> int:
        """Read a register until it has a value; not for ever when the capture is stopped meanwhile."""
        while not met(value := await self._read(name)) and not self._stopped:
            await self._sleep(LOOK_EVERY)
        return value

    # --- A capture

    async def capture(self, plan: CapturePlan, on_begun: Callable[[], None]) -> Captured:
        offset = plan.pre + LEAD
        length = plan.depth + LEAD
        await self._prepare(plan, offset, length)
        # The FIFO has to be full up to the trigger, or nobody could tell where in it the trigger is.
        await self._until("storage_mem_level", lambda level: level >= offset - 1)
        await self._bus.run([self._write("trigger_enable", 1)])
        on_begun()
        done = await self._until("storage_done", lambda done: done == 1)
        triggered = True
        if not done:
            triggered, length = await self._cut_short(length)
        samples = await self._upload(length)
        return self._captured(plan, samples, triggered, "complete" if done else "stopped")

    async def stop(self) -> None:
        self._stopped = True

    async def _prepare(self, plan: CapturePlan, offset: int, length: int) -> None:
        steps, units = self._steps(plan)
        write = self._write
        operations = [
            # What an earlier capture left: the falling edge of enable flushes the steps, and a FIFO that isn't enabled
            # runs empty.
            *(write("storage_enable", 0), write("trigger_enable", 1), write("trigger_enable", 0)),
            write("mux_value", 0),
            write("subsampler_value", plan.every - 1),
            *(write("storage_offset", offset), write("storage_length", length)),
        ]
        for number in range(EDGE_UNITS):
            rise, fall = units[number] if number < len(units) else (0, 0)
            operations += [write(f"edge{number}_rise", rise), write(f"edge{number}_fall", fall)]
        await self._bus.run(operations)
        await self._until("storage_mem_level", lambda level: level == 0)
        operations = []
        # A step without a condition is met at once: it stands for a trigger that isn't there.
        for mask, value in steps or [(0, 0)]:
            operations += [
                write("trigger_mem_mask", mask),
                write("trigger_mem_value", value),
                write("trigger_mem_write", 1),
            ]
        await self._bus.run([*operations, write("storage_enable", 1)])

    async def _cut_short(self, length: int) -> tuple[bool, int]:
        """End a capture that isn't done: whether the trigger was met, and how many samples there are."""
        triggered = bool(await self._read("trigger_done"))
        level = min(length, max(1, await self._read("storage_mem_level") - 1))
        self._stopped = False
        # Without steps the FIFO goes on to its length, which it has already.
        await self._bus.run([self._write("storage_length", level), self._write("trigger_enable", 0)])
        await self._until("storage_done", lambda done: done == 1)
        return triggered, level

    async def _upload(self, count: int) -> list[int]:
        words = self._analyzer.words
        address = self._registers["storage_mem_data"][0]
        (data,) = await self._bus.run([Operation.read(address, count * words, fixed=True)])
        await self._bus.run([self._write("storage_enable", 0)])
        # LiteX's converter hands on the least significant word first.
        return [
            sum(word << WORD_BITS * index for index, word in enumerate(data[start : start + words]))
            for start in range(0, len(data), words)
        ]

    def _captured(self, plan: CapturePlan, samples: list[int], triggered: bool, ended: Ended) -> Captured:
        samples = samples[self._surplus(plan, samples) if triggered else 0 :][: plan.depth]
        changes: list[list[tuple[int, int]]] = []
        for number in plan.signals:
            probe = self._analyzer.probes[number]
            shift, mask = probe.lsb + EDGE_UNITS, (1 << probe.width) - 1
            of_signal: list[tuple[int, int]] = []
            for index, sample in enumerate(samples):
                value = sample >> shift & mask
                if not of_signal or of_signal[-1][1] != value:
                    of_signal.append((index, value))
            changes.append(of_signal)
        return Captured(None, len(samples), plan.pre if triggered and plan.pre < len(samples) else None, ended, changes)

    def _surplus(self, plan: CapturePlan, samples: list[int]) -> int:
        """Samples before those that were asked for.

        LiteScope's FIFO stops letting go in the cycle after the one in which the trigger was met. The sample before
        that one is of the very cycle; when only some cycles are sampled it may be of an earlier one, which is known by
        what is in it.
        """
        steps, _ = self._steps(plan)
        mask, value = steps[-1] if steps else (0, 0)
        before = samples[plan.pre + LEAD - 2] if plan.pre + LEAD - 2 < len(samples) else 0
        return LEAD - 2 if before & mask == value else LEAD - 1
