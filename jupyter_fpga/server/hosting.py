"""Hosting a lab, or finding the one that this person already has: one lab, many doors."""

import asyncio
import logging
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tornado.httpserver import HTTPServer

from jupyter_fpga.clock import Clock, SystemClock
from jupyter_fpga.errors import Conflict, LabError, Unavailable
from jupyter_fpga.people import Person

from .auth import KeyFile, TokenAuthenticator
from .door import Activity, Here, LabLike, There
from .forward import Remote
from .queue_tokens import QueueTokens
from .runtime import HostLock, RuntimeFile, RuntimeRecord
from .standalone import listen, make_application

__all__ = ("AnotherLab", "FixedDoor", "Hosting", "HostingOptions", "SharedDoor")

log = logging.getLogger(__name__)

_PATIENCE = 30.0
"""How long a request waits for a lab that starts, seconds: opening the store and finding the boards takes far less."""
_LOOK_AGAIN = 0.1
"""Seconds between looks for another process's runtime file. No event tells of it across processes."""


class AnotherLab(Conflict):
    """This person's lab is another process's."""

    default_code = "lab_already_runs"


@dataclass(frozen=True)
class HostingOptions:
    """How a lab is offered.

    Parameters
    ----------
    owner
        Whose it is.
    runtime_dir
        Jupyter's runtime folder: where the lock and the runtime file are.
    data_dir
        Of the lab, for the record.
    address, port
        What its own door listens on; port 0 for any that is free.
    base
        Path of its base URL, without a slash at the end.
    token
        The owner's token.
    keys
        The file of other people's keys.
    """

    owner: Person
    runtime_dir: Path
    data_dir: Path
    address: str = "127.0.0.1"
    port: int = 0
    base: str = ""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    keys: KeyFile | None = None


class Hosting:
    """A lab with its own door and a runtime file that names it.

    Parameters
    ----------
    options
        How it is offered.
    make_lab
        Makes the lab; called once the right to host is held.
    """

    def __init__(self, options: HostingOptions, make_lab: Callable[[], LabLike]) -> None:
        self.activity = Activity()
        self.options = options
        self.record: RuntimeRecord | None = None
        self._make_lab = make_lab
        self._lock = HostLock(options.runtime_dir)
        self._file = RuntimeFile(options.runtime_dir)
        self._lab: LabLike | None = None
        self._here: Here | None = None
        self._server: HTTPServer | None = None

    def take(self) -> bool:
        """Try to get the right to host; whether this process has it."""
        return self._lock.take()

    @property
    def lab(self) -> LabLike:
        """The lab, while it is hosted."""
        if self._lab is None:
            raise _not_running()
        return self._lab

    async def start(self) -> RuntimeRecord:
        """Start the lab and open its door.

        Raises
        ------
        AnotherLab
            Another process hosts it.
        LabError
            The lab can't start; its message says why.
        OSError
            The address can't be listened on.
        """
        if not self.take():
            raise another_lab(self._file.read())
        self._lab = self._make_lab()
        try:
            await self._lab.start()
            options = self.options
            self._here = await asyncio.to_thread(_furnish, self._lab, options.data_dir)
            authenticator = TokenAuthenticator(options.owner, options.token, options.keys)
            application = make_application(self, authenticator, base=options.base)
            self._server, port = listen(application, options.port, options.address)
            host = f"[{options.address}]" if ":" in options.address else options.address
            self.record = RuntimeRecord.of_this_process(
                url=f"http://{host}:{port}{options.base}", token=options.token, data_dir=options.data_dir
            )
            self._file.write(self.record)
        except BaseException:
            await self.stop()
            raise
        return self.record

    async def stop(self) -> None:
        """Withdraw the runtime file, close the door, stop the lab, give the right to host back: in this order."""
        if self.record is not None:
            self._file.remove(self.record)
            self.record = None
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        lab, self._lab = self._lab, None
        self._here = None
        try:
            if lab is not None:
                # Before the connections are closed: what waits for a job hears of its end.
                await lab.stop()
        finally:
            await self.activity.end_sockets()
            if server is not None:
                await server.close_all_connections()
            self._lock.give_back()

    async def reach(self) -> Here:
        """The lab is here."""
        if self._here is None:
            raise _not_running()
        return self._here

    def lost(self, there: There) -> None:
        """Nothing is elsewhere."""


def _not_running() -> Unavailable:
    return Unavailable("The lab isn't running here now; try again in a moment.", code="lab_not_running")


def _furnish(lab: LabLike, data_dir: Path) -> Here:
    """What the doors need besides the floors: an empty place for what comes in, and the secret of the queues' names."""
    tokens = QueueTokens.in_folder(data_dir)
    uploads = data_dir / "uploads"
    # What had begun to come in when the lab was killed.
    shutil.rmtree(uploads, ignore_errors=True)
    uploads.mkdir(mode=0o700)
    return Here(lab, uploads, tokens)


def another_lab(record: RuntimeRecord | None) -> AnotherLab:
    """Why this process can't host."""
    where = f"at {record.url} (process {record.pid})" if record is not None else "and is just starting"
    return AnotherLab(
        f"Your lab runs already {where}; use that one, or stop it first.",
        detail={} if record is None else {"url": record.url, "pid": record.pid},
    )


class SharedDoor:
    """The door of a Jupyter server: hosts the person's lab, or forwards to its process, and takes over when that ends.

    Parameters
    ----------
    make_hosting
        Makes a :class:`Hosting`, again for each time that this process takes over.
    runtime_dir
        Jupyter's runtime folder.
    on_hosting
        Told the hosting when this process becomes the host, and ``None`` when it no longer is.
    """

    def __init__(
        self,
        make_hosting: Callable[[], Hosting],
        runtime_dir: Path,
        *,
        on_hosting: Callable[[Hosting | None], None] = lambda hosting: None,
        clock: Clock | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        self.activity = Activity()
        self._make_hosting = make_hosting
        self._file = RuntimeFile(runtime_dir)
        self._on_hosting = on_hosting
        self._clock = clock or SystemClock()
        self._patience = patience
        self._hosting: Hosting | None = None
        self._starting: asyncio.Task[None] | None = None
        self._gone: RuntimeRecord | None = None
        self._stopped = False

    async def reach(self) -> Here | There:
        """Where the lab is; waits while it starts.

        Raises
        ------
        Unavailable
            This server is stopping; or the lab can't start, with the reason; or it took too long.
        """
        deadline = self._clock.monotonic() + self._patience
        while True:
            if self._stopped:
                raise Unavailable("This server is shutting down; ask another one.", code="lab_stopping")
            if self._hosting is not None and self._hosting.record is not None:
                return await self._hosting.reach()
            if self._starting is None:
                record = self._file.read()
                if record is not None and record != self._gone and record.is_alive():
                    return There(Remote(record.url, record.token), own=True)
                self._try_to_host()
            remaining = deadline - self._clock.monotonic()
            if remaining <= 0:
                raise Unavailable(
                    "The lab is starting and takes longer than usual; try again in a moment.", code="lab_starting"
                )
            starting = self._starting
            if starting is not None:
                await asyncio.wait([starting], timeout=remaining)
                self._report_failure(starting)
            else:
                await self._clock.sleep(min(_LOOK_AGAIN, remaining))

    def lost(self, there: There) -> None:
        """The process of ``there`` doesn't answer: don't send anybody there again."""
        record = self._file.read()
        if record is not None and (record.url, record.token) == (there.remote.url, there.remote.token):
            self._gone = record

    def _try_to_host(self) -> None:
        hosting = self._make_hosting()
        if hosting.take():
            self._starting = asyncio.ensure_future(self._host(hosting))

    async def _host(self, hosting: Hosting) -> None:
        await hosting.start()
        self._hosting = hosting
        self._on_hosting(hosting)

    def _report_failure(self, starting: asyncio.Task[None]) -> None:
        """Raise why hosting failed, to every request that waits for it; the next request tries again."""
        if not starting.done() or starting.cancelled():
            return
        error = starting.exception()
        if self._starting is starting:
            self._starting = None
            if error is not None:
                log.error("the lab can't start: %s", error, exc_info=None if isinstance(error, LabError) else error)
        if isinstance(error, LabError):
            raise Unavailable(f"The lab can't start: {error.message}", code="lab_not_started", detail=error.detail)
        if error is not None:
            raise Unavailable(
                "The lab can't start because of a fault of its own; the server's log has the reason.",
                code="lab_not_started",
            )

    async def stop(self) -> None:
        """Stop hosting, in order; a lab elsewhere isn't touched."""
        self._stopped = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        hosting, self._hosting = self._hosting, None
        if hosting is not None:
            self._on_hosting(None)
            await hosting.stop()
        await self.activity.end_sockets()


class FixedDoor:
    """The door of a server whose lab is always elsewhere: the class's, given by its address.

    Parameters
    ----------
    remote
        Where it is, and this person's token for it.
    """

    def __init__(self, remote: Remote) -> None:
        self.activity = Activity()
        self._there = There(remote)

    async def reach(self) -> There:
        """The lab is there."""
        return self._there

    def lost(self, there: There) -> None:
        """It doesn't answer, and nobody else can.

        Raises
        ------
        Unavailable
            Always.
        """
        raise Unavailable(
            f"The lab at {there.remote.url} doesn't answer, or doesn't know this server's token; ask whoever runs it.",
            code="lab_unreachable",
        )

    async def stop(self) -> None:
        """Close the WebSockets that go through here."""
        await self.activity.end_sockets()
