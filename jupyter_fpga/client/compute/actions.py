"""An action of the compute floor, held by whoever wants its result."""

import asyncio
from collections.abc import AsyncIterator, Generator, Mapping
from typing import Any

from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import Invalid, JobCancelled, JobFailed, LabError, TimedOut
from jupyter_fpga.client.loop import Following, blocking, loop, on_the_loop

from .following import ActionWatcher
from .outputs import Outputs

__all__ = ("Action", "action_error")


class Action:
    """One pure function, applied: :meth:`wait` for it, then look at :attr:`ok`, :attr:`value`, :attr:`outputs`.

    Parameters
    ----------
    door, watcher
        Of the client.
    record
        The action as the lab described it last; :attr:`record` afterwards. At least its ``lsn`` and ``action``.
    """

    def __init__(self, door: Door, watcher: ActionWatcher, record: Mapping[str, Any]) -> None:
        self._door = door
        self._watcher = watcher
        self.record: dict[str, Any] = {"state": "pending", "finished": False, "result": None, **record}

    @property
    def lsn(self) -> int:
        """The number that names it in this lab."""
        return int(self.record["lsn"])

    @property
    def id(self) -> str:
        """The digest of function, version, inputs and constants: equal actions have the same."""
        return str(self.record["action"])

    @property
    def state(self) -> str:
        """``pending``, ``submitting``, ``running``, ``completed``, ``failed``, ``abandoned`` or ``cancelled``, as far
        as is known."""
        return str(self.record["state"])

    @property
    def done(self) -> bool:
        """Whether the action is known to have ended."""
        return bool(self.record["finished"])

    @property
    def path(self) -> str:
        """Where the lab shows it."""
        return f"compute/jobs/{self.lsn}"

    # --- Its end --------------------------------------------------------------------------------------------------

    async def _changes(self) -> AsyncIterator[dict[str, Any]]:
        async for record in self._watcher.changes(self.lsn, self.path):
            self.record = record
            yield record

    def changes(self) -> Following[dict[str, Any]]:
        """The action's record now, and again whenever it changes, until it has ended."""
        return Following(self._changes())

    achanges = changes

    @on_the_loop
    async def await_(self, timeout: float | None = None) -> "Action":
        """Wait until the action is completed; ``await action`` does the same.

        A program that ends with an error, or at one of its bounds, has completed all the same: see :attr:`ok`.

        Parameters
        ----------
        timeout
            Seconds after which to stop waiting; the action goes on.

        Raises
        ------
        JobFailed
            It couldn't be run, though it was tried again.
        JobCancelled
            Somebody cancelled it.
        TimedOut
            The time ran out.
        """
        try:
            async with asyncio.timeout(timeout):
                async for _ in self._changes():
                    pass
        except TimeoutError:
            raise TimedOut(
                f"Action {self.lsn} is still {self.state} after {timeout:g} s; it goes on: wait for it again, or "
                "cancel it.",
                detail={"lsn": self.lsn},
            ) from None
        if self.state != "completed":
            raise action_error(self.record)
        return self

    def __await__(self) -> Generator[Any, Any, "Action"]:
        return self.await_().__await__()

    def wait(self, timeout: float | None = None) -> "Action":
        """Wait until the action is completed: see :meth:`await_`. An interrupt ends the waiting, not the action."""
        return loop.call(self.await_, timeout)

    @on_the_loop
    async def aresult(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait, and give the result.

        Returns
        -------
        dict
            ``{"ok", "exit_code", "value", "outputs", "log", "bound", "seconds", "cpu_seconds", "peak_bytes",
            "error"}``
        """
        if not (self.done and self.state == "completed"):
            await self.await_(timeout)
        return dict(self.record["result"])

    # --- What came of it ------------------------------------------------------------------------------------------

    def _ended(self) -> dict[str, Any]:
        if not self.done:
            raise Invalid(f"Action {self.lsn} is {self.state}: its result is there after wait().", code="too_early")
        if self.record["result"] is None:
            raise action_error(self.record)
        return dict(self.record["result"])

    @property
    def ok(self) -> bool:
        """Whether the function did what it should: of an action that has ended."""
        return bool(self._ended()["ok"])

    @property
    def exit_code(self) -> int | None:
        """What the program ended with; less than 0: the signal that ended it. ``None`` when that isn't known."""
        code: int | None = self._ended()["exit_code"]
        return code

    @property
    def value(self) -> Any:
        """What a function of the lab itself gave, such as ``hash``."""
        return self._ended()["value"]

    @property
    def cached(self) -> bool:
        """Whether the result was there already."""
        return bool(self.record.get("cached"))

    @property
    def outputs(self) -> Outputs:
        """The files that the program left, by name: ``outputs.read(name)``, ``outputs.download(folder)``."""
        return Outputs(self._door, self._ended()["outputs"])

    @property
    def log(self) -> str:
        """What the program printed, its last lines when it was much; empty before its end."""
        result = self.record["result"] or {"log": []}
        return "".join(f"{line}\n" for line in result["log"])

    # --- What can be done to it -----------------------------------------------------------------------------------

    @on_the_loop
    async def arefresh(self) -> "Action":
        """Ask the lab for the record."""
        self.record = await self._door.get(self.path)
        return self

    @on_the_loop
    async def acancel(self) -> None:
        """End the action; its processes are gone when this returns.

        Raises
        ------
        Conflict
            ``job_not_cancellable``: it has ended.
        """
        self.record = await self._door.post(f"{self.path}/cancel")

    @on_the_loop
    async def aset_priority(self, priority: int) -> None:
        """Let the waiting action run sooner, or later; higher is sooner, other than 0 for operators."""
        self.record = await self._door.post(f"{self.path}/priority", {"priority": priority})

    @on_the_loop
    async def areschedule(self) -> None:
        """Try a failed or abandoned action again now; ``job_not_reschedulable``, ``retries_used_up``."""
        await self._door.post(f"{self.path}/reschedule")
        self.record = await self._door.get(self.path)

    @on_the_loop
    async def aretract(self) -> None:
        """Take the action off its runner and let it wait again, which counts as no retry."""
        self.record = await self._door.post(f"{self.path}/retract")

    @on_the_loop
    async def aretire(self) -> None:
        """Let the lab forget the action, which has ended; ``job_not_finished``."""
        await self._door.request("DELETE", self.path)

    result = blocking(aresult)
    refresh = blocking(arefresh)
    cancel = blocking(acancel)
    set_priority = blocking(aset_priority)
    reschedule = blocking(areschedule)
    retract = blocking(aretract)
    retire = blocking(aretire)

    def __repr__(self) -> str:
        return f"<Action {self.record.get('function', 'action')}: {self.state}>"


def action_error(record: Mapping[str, Any]) -> LabError:
    """The reason why an action that ended without a result did so."""
    lsn = record["lsn"]
    if record["state"] == "cancelled":
        return JobCancelled(
            f"Action {lsn} was cancelled before it was done.", code="action_cancelled", detail={"lsn": lsn}
        )
    error = record["error"] or {}
    why = error.get("message") or f"Action {lsn} is {record['state']}, and the lab gave no reason."
    return JobFailed(
        why, code=error.get("error") or "action_failed", detail={**(error.get("detail") or {}), "lsn": lsn}
    )
