"""A job of the lab, held by whoever waits for it."""

import asyncio
import json
from collections.abc import AsyncIterator, Generator
from typing import Any, Protocol

from jupyter_fpga.gateware.manifest import Manifest

from .door import Door
from .errors import TimedOut, job_error
from .events import FINAL, JobWatcher
from .loop import Following, blocking, loop, on_the_loop
from .report import Report

__all__ = ("Job", "Lab", "accepted")


class Lab(Protocol):
    """What jobs and boards need of the client that they belong to."""

    @property
    def door(self) -> Door:
        """The way to the lab."""
        ...

    @property
    def watcher(self) -> JobWatcher:
        """Tells what is new about jobs."""
        ...

    @property
    def served(self) -> bool:
        """Whether pages of the Jupyter server that started this process reach it too."""
        ...


class Job:
    """One asynchronous change to a board, or a build.

    Parameters
    ----------
    lab
        Where it runs.
    record
        The job as the lab described it last; :attr:`record` afterwards.
    """

    def __init__(self, lab: Lab, record: dict[str, Any]) -> None:
        self.lab = lab
        self.record = record

    @property
    def id(self) -> str:
        """The job's UUID."""
        return str(self.record["job_id"])

    @property
    def status(self) -> str:
        """``queued``, ``running``, ``complete``, ``failed`` or ``cancelled``, as far as is known."""
        return str(self.record["status"])

    @property
    def done(self) -> bool:
        """Whether the job is known to have ended."""
        return self.status in FINAL

    @property
    def fpga_id(self) -> int | None:
        """The board, once it is known."""
        return self.record.get("fpga_id")

    async def _changes(self) -> AsyncIterator[dict[str, Any]]:
        async for record in self.lab.watcher.changes(self.id):
            self.record = record
            yield record

    def changes(self) -> Following[dict[str, Any]]:
        """The job's record now, and again whenever it changes, until the job has ended."""
        return Following(self._changes())

    achanges = changes

    @on_the_loop
    async def arefresh(self) -> "Job":
        """Ask the lab for the record."""
        self.record = await self.lab.door.get(f"jobs/{self.id}")
        return self

    @on_the_loop
    async def await_(self, timeout: float | None = None) -> "Job":
        """Wait until the job is complete; ``await job`` does the same.

        Parameters
        ----------
        timeout
            Seconds after which to stop waiting; the job goes on.

        Raises
        ------
        JobFailed, JobCancelled
            The job ended otherwise.
        TimedOut
            The time ran out.
        """
        try:
            async with asyncio.timeout(timeout):
                async for _ in self._changes():
                    pass
        except TimeoutError:
            raise TimedOut(
                f"The job is still {self.status} after {timeout:g} s; it goes on: wait for it again, or cancel it.",
                detail={"job_id": self.id},
            ) from None
        if self.status != "complete":
            raise job_error(self.record)
        return self

    def __await__(self) -> Generator[Any, Any, "Job"]:
        return self.await_().__await__()

    @on_the_loop
    async def alogs(self) -> str:
        """The job's log so far."""
        text = await self.lab.door.request("GET", f"jobs/{self.id}/logs")
        return text.decode()

    async def _log(self, after: int) -> AsyncIterator[str]:
        async for entry in self.lab.door.lines(f"jobs/{self.id}/logs", after=after, follow=1):
            yield entry["text"]

    def follow_logs(self, after: int = 0) -> Following[str]:
        """The entries of the log as they are written, from number ``after`` on, until the job has ended."""
        return Following(self._log(after))

    afollow_logs = follow_logs

    @on_the_loop
    async def aresult(self) -> dict[str, Any]:
        """What the complete job gave: ``{"ok": true, "data": [words]}`` for a run."""
        return await self.lab.door.get(f"jobs/{self.id}/result")  # type: ignore[no-any-return]

    @on_the_loop
    async def amanifest(self) -> Manifest:
        """What the build produced: window, registers, pins."""
        return Manifest.from_json(await self.lab.door.get(f"jobs/{self.id}/manifest"))

    @on_the_loop
    async def aartifact(self, name: str) -> bytes:
        """``csr.json``, ``csr.csv``, ``top.v``, ``bitstream`` or ``report``."""
        return await self.lab.door.request("GET", f"jobs/{self.id}/artifacts/{name}")

    @on_the_loop
    async def areport(self) -> Report:
        """The build report."""
        return Report(json.loads(await self.aartifact("report")), (await self.aresult()).get("stages", ()))

    @on_the_loop
    async def acancel(self) -> None:
        """Cancel the job if it waits, stop it if it is a build that runs.

        Raises
        ------
        Conflict
            ``job_not_cancellable``: it is too late.
        """
        await self.lab.door.request("DELETE", f"jobs/{self.id}")

    refresh = blocking(arefresh)
    logs = blocking(alogs)
    result = blocking(aresult)
    manifest = blocking(amanifest)
    artifact = blocking(aartifact)
    report = blocking(areport)
    cancel = blocking(acancel)

    def wait(self, timeout: float | None = None) -> "Job":
        """Wait until the job is complete: see :meth:`await_`. An interrupt ends the waiting, not the job."""
        return loop.call(self.await_, timeout)

    def __repr__(self) -> str:
        return f"<Job {self.record.get('type', 'job')}: {self.status}>"


async def accepted(lab: Lab, type: str, path: str, body: Any = None) -> Job:
    """Ask the lab for something that it does as a job of this type."""
    return Job(lab, {"type": type, **await lab.door.post(path, body)})
