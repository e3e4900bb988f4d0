"""Captures of boards that people hold: begun, waited for, stopped.

A capture is no job: nothing of it has to outlive the lab. It changes nothing on the board, and one that was lost is
simply begun again; its samples, up to megabytes, would only be dead weight among the records. It is in three steps, so
that no request lasts long: :func:`arm` returns once the trigger is being looked for, so that whatever is done to the
board after it is seen; :func:`captured` waits for the end; :func:`stop` ends it early. The link isn't held: registers
stay usable, by which many a trigger is met in the first place.
"""

import asyncio
import uuid
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.captures.analyzer import LiteScope
from jupyter_fpga.fpga.captures.instrument import Instrument, SimulatorTrace
from jupyter_fpga.fpga.captures.request import Plan, Via, plan
from jupyter_fpga.fpga.drivers import Captured
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.pool import Capture as _Known
from jupyter_fpga.fpga.pool import Unit
from jupyter_fpga.fpga.sessions import check_design, may_use, may_watch
from jupyter_fpga.fpga.shapes import Refused
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.people import Person
from jupyter_fpga.signals import shown
from jupyter_fpga.waveform import Wave, Waveform
from jupyter_fpga.waveform.wave import Part

__all__ = ("Capture", "arm", "captured", "stop")

SIMULATED = "simulated"
"""The target whose boards can tell any signal."""


class Capture:
    """One capture of a board; it ends with the board session, or when the board gets another design."""

    observes = False

    def __init__(self, unit: Unit, instrument: Instrument, plan: Plan, manifest: Manifest) -> None:
        self.capture_id = str(uuid.uuid4())
        self.design: str | None = manifest.digest
        self._unit = unit
        self._instrument = instrument
        self._plan = plan
        self._manifest = manifest
        self._session_id = unit.row["session_id"] if unit.row is not None else None
        self._begun = asyncio.Event()
        self._why: str | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._run(), name=f"jupyter_fpga capture {unit.fpga_id}")
        # Whoever was to ask for it may be gone by now.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    @property
    def over(self) -> bool:
        """Whether it has come to its end."""
        return self._task.done()

    async def begun(self) -> None:
        """Return once the trigger is being looked for; raises what was in the way."""
        waiting = asyncio.create_task(self._begun.wait())
        try:
            await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not self._begun.is_set():
            await self._task

    async def waveform(self, seconds: float) -> Waveform | None:
        """The waveform; None if it isn't there after ``seconds``. Raises what the capture failed with."""
        await asyncio.wait({self._task}, timeout=seconds)
        return self._task.result() if self._task.done() else None

    async def stop(self, why: str = "stopped") -> None:
        """End it with what there is."""
        if not self._task.done():
            self._why = self._why or why
            await self._instrument.stop()
            await asyncio.wait({self._task})

    def end(self, reason: str) -> None:
        """The session is over, or the design is."""
        self._unit.streams.discard(self)
        if not self._task.done():
            self._why = reason
            self._task.cancel()

    async def _run(self) -> Waveform:
        unit = self._unit
        loop = asyncio.get_running_loop()

        def too_late() -> None:
            self._stopping = loop.create_task(self.stop("timeout"))

        alarm: asyncio.TimerHandle | None = None

        def begun() -> None:
            nonlocal alarm
            self._begun.set()
            alarm = loop.call_later(self._plan.timeout, too_late)

        try:
            found = await self._instrument.capture(self._plan.plan, begun)
        except asyncio.CancelledError:
            raise _over(unit, self._why, self.design) from None
        except LabError as error:
            if unit.manifest is self._manifest:
                raise
            # The board was taken away, for the holder's next design or for good.
            held = unit.row is not None and unit.row["session_id"] == self._session_id
            raise _over(unit, "design_replaced" if held else "session_ended", self.design) from error
        finally:
            if alarm is not None:
                alarm.cancel()
            self._unit.streams.discard(self)
        why = self._why if found.ended == "stopped" and self._why else found.ended
        return _waveform(found, self._plan, self._manifest, why)


def _over(unit: Unit, reason: str | None, design: str | None) -> LabError:
    if reason == "design_replaced" and design is not None:
        return refusals.design_replaced(unit.fpga_id, design)
    return refusals.lab_stopping() if reason == "lab_stopping" else refusals.session_ended(unit.fpga_id)


def _waveform(found: Captured, plan: Plan, manifest: Manifest, ended: str) -> Waveform:
    every = plan.plan.every
    registers = {register.name: register for register in manifest.registers if register.array is None}
    waves = []
    for name, signal, changes in zip(plan.names, plan.signals, found.changes, strict=True):
        times = [every * number for number, _ in changes]
        values = [value for _, value in changes]
        register = registers.get(shown(signal.path))
        known = register if register is not None and register.width == signal.width else None
        fields = known.fields if known is not None else []
        parts = tuple(Part(field.name, field.lsb, field.width, field.enum) for field in fields)
        end = every * found.samples
        waves.append(Wave(name, signal.width, times, values, end, known.enum if known is not None else None, parts))
    return Waveform(
        waves,
        end=every * found.samples,
        tick=Fraction(1, manifest.clock_hz),
        trigger=None if found.trigger is None or not plan.plan.trigger else every * found.trigger,
        first=found.first,
        ended=ended,
        every=every,
    )


async def arm(
    floor: Floor, person: Person, fpga_id: int, wanted: Mapping[str, Any], *, design: str | None = None
) -> dict[str, Any]:
    """Begin a capture; returns once its trigger is being looked for.

    Parameters
    ----------
    wanted
        See :func:`~jupyter_fpga.fpga.captures.request.plan`; ``via``: ``"trace"`` or ``"analyzer"``, where a simulated
        board has both.
    design
        Digest of the manifest by which the caller knows the signals.

    Raises
    ------
    Invalid
        ``capture_rejected``.
    Conflict
        ``capture_running``, ``fpga_not_reserved``, ``session_ended``, ``design_replaced``.
    Forbidden
        ``not_session_holder``.
    """
    unit = floor.pool[fpga_id]
    may_use(floor, unit, person)
    check_design(unit, design)
    manifest = unit.manifest
    if manifest is None:
        raise refusals.fpga_not_reserved(unit.row)
    if unit.capture is not None and not unit.capture.over:
        raise refusals.capture_running(fpga_id)
    try:
        instrument = _instrument(unit, person, manifest, wanted.get("via"))
        found = plan(wanted, await instrument.signals(), instrument, manifest)
    except Refused as refused:
        raise refusals.capture_rejected(fpga_id, str(refused)) from refused
    if unit.manifest is not manifest:
        raise refusals.fpga_not_reserved(unit.row)
    if unit.capture is not None and not unit.capture.over:
        raise refusals.capture_running(fpga_id)
    capture = unit.capture = Capture(unit, instrument, found, manifest)
    unit.streams.add(capture)
    await capture.begun()
    return {"capture_id": capture.capture_id, "fpga_id": fpga_id, "state": "armed"}


async def captured(floor: Floor, person: Person, fpga_id: int, wait: float) -> dict[str, Any]:
    """The board's latest capture, once it is over; ``{"state": "armed"}`` if it isn't after ``wait`` seconds.

    Raises
    ------
    NotFound
        ``no_capture``.
    Forbidden
        ``not_session_holder``: only the holder sees it, and whoever they let watch.
    """
    unit, capture = _capture(floor, person, fpga_id, watch=True)
    waveform = await capture.waveform(wait)
    may_watch(floor, unit, person)
    about = {"capture_id": capture.capture_id, "fpga_id": fpga_id}
    if waveform is None:
        return {**about, "state": "armed", "waveform": None}
    return {**about, "state": "done", "waveform": waveform.to_json()}


async def stop(floor: Floor, person: Person, fpga_id: int) -> None:
    """End the board's capture; what there is of it can be fetched. Nothing happens when it is over already."""
    _, capture = _capture(floor, person, fpga_id, watch=False)
    await capture.stop()


def _capture(floor: Floor, person: Person, fpga_id: int, *, watch: bool) -> tuple[Unit, _Known]:
    unit = floor.pool[fpga_id]
    (may_watch if watch else may_use)(floor, unit, person)
    if unit.capture is None:
        raise refusals.no_capture(fpga_id)
    return unit, unit.capture


def _instrument(unit: Unit, person: Person, manifest: Manifest, via: Via | None) -> Instrument:
    """What captures: the simulation itself where there is one, unless the analyzer is asked for.

    Raises
    ------
    Refused
        There is none, or not that.
    """
    is_simulated = manifest.target == SIMULATED
    if via == "trace" and not is_simulated:
        raise Refused("only a simulated board can be traced; capture by the probes that were built in.")
    if is_simulated and via != "analyzer":
        assert unit.row is not None
        return SimulatorTrace(unit.driver.bench(unit.row["process"]))
    if manifest.analyzer is None:
        raise Refused("its design was built without probes; build it with them, as in `%%fpga --probe count`.")
    if unit.link is None:
        raise refusals.fpga_not_reserved(unit.row)
    return LiteScope(manifest.analyzer, unit.link.session(person.name))
