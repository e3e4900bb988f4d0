"""A lab, as a person's program sees it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypedDict, Unpack
from urllib.parse import quote

from .boards import BoardHandle, BoardJob
from .compute.lab import ComputeClient
from .door import Door
from .errors import Conflict, NotFound, Unavailable
from .events import JobWatcher, follow_events
from .jobs import Job, accepted
from .listing import BOARD_COLUMNS, JOB_COLUMNS, TARGET_COLUMNS, TOOLCHAIN_COLUMNS
from .loop import Following, blocking, loop, on_the_loop
from .simulations import Simulating, SimulationOptions, simulate
from .sources import load_source
from .starting import StartedLab
from .tables import Table

__all__ = ("LabClient",)


class BuildOptions(TypedDict, total=False):
    """What may be said about a build: see :meth:`LabClient.abuild`."""

    filename: str | None
    target: str | None
    top: str | None
    clock: float | None
    timing_target_mhz: float | None
    seed: int | None
    explore: int | None
    probes: Sequence[str] | None
    params: Mapping[str, Any] | None
    idempotency_key: str | None
    use_cache: bool
    verify: bool


class LabClient:
    """Everything that the lab's API offers, from a plain script or a notebook.

    Every operation has an awaitable twin whose name starts with ``a``. Refusals are raised as
    :class:`~jupyter_fpga.errors.LabError` of the kind that they are, with the lab's own code and sentence.

    Parameters
    ----------
    url
        The lab's base address, such as ``http://127.0.0.1:8888/jupyter-fpga``.
    token
        Of the Jupyter server, the Hub, or an API key of the lab.
    started
        The lab's process, when it was started for this client.
    served
        Whether the pages of the Jupyter server that started this process reach the lab too, below their own address.
    """

    def __init__(self, url: str, token: str = "", started: StartedLab | None = None, *, served: bool = False) -> None:
        self.started = started
        self.served = served
        self.door = Door(url, token)
        self.watcher = JobWatcher(self.door)
        self.compute = ComputeClient(self.door)

    @property
    def url(self) -> str:
        """The lab's base address."""
        return self.door.url

    # --- Submitting -----------------------------------------------------------------------------------------------

    @on_the_loop
    async def asubmit(
        self,
        source: str | bytes | Path,
        /,
        *,
        board: int | None = None,
        tags: Sequence[str] = (),
        priority: int | None = None,
        flash: bool = False,
        **options: Unpack[BuildOptions],
    ) -> BoardJob:
        """Build a design and program it onto a board.

        Parameters
        ----------
        source
            A path to a ``.py``, ``.v`` or ``.zip`` file or a folder, the text of a design, or bytes.
        board
            That board, which must be free or one's own; any that is free without.
        tags
            Only a board with all of these.
        priority
            Higher is sooner; operators only.
        flash
            Write the design into the board's flash, so that the board starts with it from then on; operators only.
        options
            As of :meth:`abuild`.

        Raises
        ------
        LabError
            ``design_rejected``, ``fpga_not_idle``, ``quota_exceeded`` …
        """
        path = "submit" if board is None else f"fpga/{board}/submit"
        more = {"tags": list(tags) or None, "priority": priority, "flash": flash or None}
        record = await self._upload(path, source, **more, **options)
        return BoardJob(self, record)

    @on_the_loop
    async def abuild(self, source: str | bytes | Path, /, **options: Unpack[BuildOptions]) -> Job:
        """Build a design without a board: manifest, report and bitstream.

        Parameters
        ----------
        source
            As of :meth:`asubmit`.
        filename
            What text or bytes are called.
        target
            The kind of board.
        top
            Name of the object, class or module that is the design.
        clock
            System clock, Hz.
        timing_target_mhz
            Fail the build when timing misses this clock.
        seed
            Where place and route begins; another one gives another result.
        explore
            Place and route with so many seeds, and keep the fastest result.
        probes
            Signals that get an analyzer, by name: what :meth:`.BoardHandle.capture` can show on a real board.
        params
            Names and values for the design.
        idempotency_key
            The same key with the same design gets the first answer again.
        use_cache
            Whether an equal build may be answered from the cache.
        verify
            Simulate the bitstream of an iCE40 beside the design, and fail the build unless both answer alike.
        """
        return Job(self, await self._upload("build", source, **options))

    @on_the_loop
    async def asimulate(self, source: str | bytes | Path, /, **options: Unpack[SimulationOptions]) -> Simulating:
        """Run a design's testbenches in Amaranth's simulator, on the lab's machine, behind the walls of its sandbox.

        A testbench is ``async def testbench(ctx)`` in the design's file, or ``testbench(ctx, dut)``.

        Parameters
        ----------
        source
            As of :meth:`asubmit`.
        filename, target, top, clock, params, use_cache
            As of :meth:`abuild`; the target only says how fast its clock is.
        until
            When the simulation ends at the latest: after so many clock cycles (a whole number), or seconds (a float).
        """
        return await simulate(self.compute, source, **options)

    async def _upload(
        self,
        path: str,
        source: str | bytes | Path,
        *,
        filename: str | None = None,
        target: str | None = None,
        top: str | None = None,
        clock: float | None = None,
        timing_target_mhz: float | None = None,
        seed: int | None = None,
        explore: int | None = None,
        probes: Sequence[str] | None = None,
        params: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        use_cache: bool = True,
        verify: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        name, content = load_source(source, filename)
        fields = {
            "target": target,
            "top": top,
            "sys_clk_freq": None if clock is None else round(clock),
            "timing_target_mhz": timing_target_mhz,
            "seed": seed,
            "explore": explore,
            "probes": list(probes) if probes else None,
            "params": dict(params) if params else None,
            "idempotency_key": idempotency_key,
            "use_cache": None if use_cache else False,
            "verify": verify or None,
            **more,
        }
        return {"type": path.rpartition("/")[2], **await self.door.upload(path, name, content, fields)}

    @on_the_loop
    async def arun(self, board: int, transactions: Sequence[Mapping[str, Any]]) -> Job:
        """Read and write registers of a board as one durable job: transactions as the API takes them."""
        body = {"transactions": [dict(transaction) for transaction in transactions]}
        return await accepted(self, "run", f"fpga/{board}/run", body)

    @on_the_loop
    async def areset(self, board: int) -> Job:
        """Reset a board: from ``reserved`` (one's own, or as an operator) or ``error``."""
        return await accepted(self, "reset", f"fpga/{board}/reset")

    # --- Looking --------------------------------------------------------------------------------------------------

    @on_the_loop
    async def aboards(self) -> Table:
        """All boards."""
        boards = await self.door.get("fpga")
        return Table(boards, BOARD_COLUMNS)

    @on_the_loop
    async def atargets(self) -> Table:
        """The kinds of boards that designs can be built for, and whether the lab's machine has the tools."""
        return Table(await self.door.get("targets"), TARGET_COLUMNS)

    @on_the_loop
    async def atoolchains(self) -> Table:
        """What makes bitstreams, vendors' tools for ``litex:NAME`` included: what is installed, and what is missing."""
        return Table(await self.door.get("toolchains"), TOOLCHAIN_COLUMNS)

    @on_the_loop
    async def ajobs(
        self,
        *,
        status: str | None = None,
        type: str | None = None,
        owner: str | None = None,
        after: int | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> Table:
        """Jobs, newest first: one's own, or all for an operator."""
        query = {"status": status, "type": type, "owner": owner, "after": after, "before": before, "limit": limit}
        return Table(await self.door.get("jobs", **query), JOB_COLUMNS)

    @on_the_loop
    async def ajob(self, job_id: str) -> BoardJob:
        """The job with this id.

        Raises
        ------
        NotFound
            ``job_not_found``: there is none that one may see.
        """
        try:
            return BoardJob(self, await self.door.get(f"jobs/{quote(job_id, safe='')}"))
        except NotFound as error:
            if error.code == "not_a_lab":
                raise
            raise NotFound(
                f"There is no job “{job_id}” that you may see; `jupyter fpga jobs` lists yours.", code="job_not_found"
            ) from None

    @on_the_loop
    async def aheld(self) -> list[int]:
        """Numbers of the boards that one holds oneself."""
        boards = await self.door.get("fpga")
        return [b["fpga_id"] for b in boards if (b["session"] or {}).get("session_id") is not None]

    @on_the_loop
    async def aboard(self, fpga_id: int | None = None, *, name: str | None = None) -> BoardHandle:
        """A handle of a board that one holds already.

        Parameters
        ----------
        fpga_id
            Its number; not needed while one holds exactly one board.
        name
            What to call it.

        Raises
        ------
        NotFound
            ``no_board_held``: one holds no board, or not this one.
        Conflict
            ``several_boards``: say which.
        """
        held = await self.aheld()
        if fpga_id is None and len(held) > 1:
            listed = ", ".join(map(str, held))
            raise Conflict(
                f"You hold boards {listed}; say which one: --board N, or board=N in Python.",
                code="several_boards",
                detail={"boards": held},
            )
        chosen = held[0] if fpga_id is None and held else fpga_id
        if chosen not in held:
            which = "hold no board" if fpga_id is None else f"don't hold board {fpga_id}"
            raise NotFound(f"You {which}; submit a design to get one.", code="no_board_held", detail={"boards": held})
        jobs = await self.door.get("jobs", type="build_and_program", status="complete", limit=1000)
        for record in jobs:
            if record["fpga_id"] == chosen:
                return BoardHandle(self, Job(self, record), name)
        raise NotFound(
            f"The job that programmed board {chosen} is gone; submit the design again.", code="no_board_held"
        )

    @on_the_loop
    async def aboard_health(
        self, fpga_id: int, *, limit: int | None = None, before: int | None = None
    ) -> dict[str, Any]:
        """How a board is, and its ``history``: failures, resets, quarantines and what else it has gone through.

        Parameters
        ----------
        limit, before
            How many entries, the newest first, and only those with a smaller LSN.
        """
        return await self.door.get(f"fpga/{fpga_id}/health", limit=limit, before=before)  # type: ignore[no-any-return]

    @on_the_loop
    async def aexamine(self, fpga_id: int) -> dict[str, Any]:
        """Have the lab walk the chain from a board's power to its registers: ``checks``, the first ``broken`` link, and
        a ``verdict``. For operators.

        Raises
        ------
        Forbidden
            ``operator_only``
        Conflict
            ``fpga_not_examinable``: a job is at it.
        """
        return await self.door.post(f"fpga/{fpga_id}/doctor")  # type: ignore[no-any-return]

    @on_the_loop
    async def aversion(self) -> dict[str, Any]:
        """Which lab this is."""
        return await self.door.get("version")  # type: ignore[no-any-return]

    @on_the_loop
    async def ahealth(self) -> dict[str, Any]:
        """Whether the lab works: ``ok``, and the ``reason`` when it does not."""
        return await self.door.get("health")  # type: ignore[no-any-return]

    def events(self, since: int | None = None) -> Following[dict[str, Any]]:
        """What happens, as it happens: after LSN ``since``, or from now on; none missing, none doubled."""
        return Following(follow_events(self.door, since))

    aevents = events
    submit = blocking(asubmit)
    build = blocking(abuild)
    simulate = blocking(asimulate)
    run = blocking(arun)
    reset = blocking(areset)
    boards = blocking(aboards)
    targets = blocking(atargets)
    toolchains = blocking(atoolchains)
    jobs = blocking(ajobs)
    job = blocking(ajob)
    held = blocking(aheld)
    board = blocking(aboard)
    board_health = blocking(aboard_health)
    examine = blocking(aexamine)
    version = blocking(aversion)
    health = blocking(ahealth)

    def alive(self) -> bool:
        """Whether the lab answers."""
        try:
            self.version()
        except Unavailable:
            return False
        return True

    @on_the_loop
    async def aclose(self) -> None:
        """Let go of the lab: see :meth:`close`."""
        await self.watcher.close()
        await self.compute.close()
        self.door.close()

    def close(self) -> None:
        """Let go of the lab. Boards that one holds stay held."""
        loop.call(self.aclose)

    def __enter__(self) -> "LabClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<LabClient {self.url}>"
