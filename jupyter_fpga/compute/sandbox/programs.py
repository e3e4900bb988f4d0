"""Runs programs behind the walls on this machine."""

import os
import secrets
import select
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_fpga.clock import Clock, SystemClock
from jupyter_fpga.compute.sandbox.detached import DETACHED_LIMITS, Detached, kill_detached, spawn_detached
from jupyter_fpga.compute.sandbox.limits import Limits
from jupyter_fpga.compute.sandbox.mounts import WORK, Mount
from jupyter_fpga.compute.sandbox.process import Launched, launch
from jupyter_fpga.compute.sandbox.supervisor import Bound, Supervisor
from jupyter_fpga.compute.sandbox.usage import NamespaceTree, SessionTree, Tree, WardenTree
from jupyter_fpga.compute.sandbox.walls import Sandbox, SandboxError
from jupyter_fpga.compute.sandbox.warm import Since, WarmSandboxes
from jupyter_fpga.compute.sandbox.workfolder import clear, collect, put, size_of_folder

__all__ = ("Finished", "ProgramKilled", "Runner")

_MARK = "JUPYTER_FPGA_RUN"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class ProgramKilled(SandboxError):
    """Somebody outside killed the sandbox: neither the lab, nor the program itself."""

    default_code = "program_killed"


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Parameters
    ----------
    returncode
        Exit code; 128 + number of the signal that ended it.
    output_tail
        Its last 200 lines.
    bound
        The limit that it ran into and was ended for, or None.
    seconds
        From its start to its end.
    cpu_seconds, peak_bytes
        Processor time and memory of its tree, as last seen: a look is taken every 50 ms.
    outputs
        Copies of the files that it left and that were asked for, by name.
    """

    returncode: int
    output_tail: str
    bound: Bound | None
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    outputs: dict[str, Path] = field(default_factory=dict)


@contextmanager
def _killed_before_it_began(launched: Launched) -> Iterator[None]:
    """What can't be found of a program that waits at its gate, because it is gone, is told as what it is."""
    try:
        yield
    except OSError as error:
        # With bubblewrap its child dies a moment later.
        ended, _, _ = select.select([launched.leader_fd], [], [], 0.1)
        if ended:
            raise ProgramKilled(
                "The sandbox was killed from outside before its program began; the machine may be out of memory. Try "
                "again."
            ) from error
        raise


class Runner:
    """Runs programs in sandboxes of this machine.

    Parameters
    ----------
    sandbox
        The walls; :meth:`Sandbox.probe` finds the best ones.
    clock
        Measures time limits.
    keep_warm
        How many sandboxes stand ready for each kind of program that was asked for; see
        :mod:`~jupyter_fpga.compute.sandbox.warm`. With any, :meth:`close` must be called.
    """

    def __init__(self, sandbox: Sandbox, *, clock: Clock | None = None, keep_warm: int = 0) -> None:
        self.sandbox = sandbox
        self._clock = clock or SystemClock()
        self.warm = WarmSandboxes(sandbox, self._clock, keep=keep_warm)

    async def close(self) -> None:
        """End the sandboxes that stand ready."""
        await self.warm.close()

    async def run(
        self,
        command: Sequence[str],
        *,
        limits: Limits,
        inputs: Mapping[str, bytes | Path] | None = None,
        outputs: Sequence[str] = (),
        into: Path | None = None,
        mounts: Sequence[Mount] = (),
        environment: Mapping[str, str] | None = None,
        warm: str | None = None,
        on_start: Callable[[], None] | None = None,
        on_output: Callable[[str], None] | None = None,
    ) -> Finished:
        """Run a program to its end. When the caller is cancelled, the whole tree is gone before this returns.

        Parameters
        ----------
        command
            Program and arguments, as paths in the sandbox; the current directory is its work folder.
        limits
            What it may use. When it uses more it is ended, and ``bound`` says why.
        inputs
            Files of its work folder: content, or a file to copy, by name.
        outputs
            Names of files to take out of the work folder at the end, whatever the exit code; ``name/`` means all files
            below that folder, ``*`` everything. Not taken when a limit was hit.
        into
            Folder for the outputs.
        mounts
            What else it may see.
        environment
            What it finds in its environment besides the usual.
        warm
            Kind of warm sandbox that suits it, if one is ready.
        on_start
            Called when it begins.
        on_output
            Gets each line that it prints.

        Raises
        ------
        SandboxError
            It could not be started.
        ProgramKilled
            Its sandbox was killed from outside.
        BadOutput
            It left something else than plain files of acceptable size as outputs.
        """
        with self.warm.at_work(), self._work_folder() as work:
            mark = f"{_MARK}={secrets.token_hex(16)}"
            plan = self.sandbox.plan(
                command,
                mounts=mounts,
                environment=dict(environment or {}) | ({} if work is None else dict([mark.split("=")])),
                work=work,
                disk_bytes=limits.disk_bytes,
            )
            waiting = self.warm.take(warm, command, mounts, environment or {}, limits)
            launched = waiting.launched if waiting is not None else await launch(plan)
            opened: list[int] = []
            tree: Tree | None = None
            try:
                with _killed_before_it_began(launched):
                    folder, tree, disk = self._watchers(launched, work, mark, limits, opened)
                    put(folder, inputs or {})
                    if waiting is None:
                        launched.limit(limits, count_processes=self.sandbox.counts_processes)
                    else:
                        waiting.order(command, limits, count_processes=self.sandbox.counts_processes)
                        tree = Since(tree)
                supervisor = Supervisor(launched, tree, disk, limits, clock=self._clock, on_output=on_output)
                started = self._clock.monotonic()
                if on_start is not None:
                    on_start()
                code = await supervisor.run()
                if supervisor.bound is None and self.sandbox.tier != "none" and launched.popen.returncode < 0:
                    # bubblewrap and the warden give a program's own signal on as an exit code; this was their own end.
                    raise ProgramKilled(
                        f"The sandbox was killed by {signal.Signals(-launched.popen.returncode).name} from outside; "
                        "the machine may be out of memory. Try again."
                    )
                seconds = self._clock.monotonic() - started
                taken: dict[str, Path] = {}
                if supervisor.bound is None and into is not None:
                    taken = collect(folder, outputs, into, max_bytes=limits.disk_bytes)
            finally:
                # Does nothing to a program that has ended; one that never got through its gate ends here.
                launched.kill()
                launched.popen.wait()
                launched.close()
                if tree is not None:
                    tree.close()
                for descriptor in opened:
                    os.close(descriptor)
        return Finished(
            returncode=code,
            output_tail="\n".join(supervisor.tail),
            bound=supervisor.bound,
            seconds=seconds,
            cpu_seconds=supervisor.peak.cpu_seconds,
            peak_bytes=supervisor.peak.memory_bytes,
            outputs=taken,
        )

    @contextmanager
    def _work_folder(self) -> Iterator[Path | None]:
        """None where the sandbox makes its own, in memory; else a folder of the machine, removed at the end."""
        if self.sandbox.tier == "full":
            yield None
            return
        folder = Path(tempfile.mkdtemp(prefix="jupyter-fpga-"))
        try:
            yield folder
        finally:
            descriptor = os.open(folder, _FOLDER)
            try:
                clear(descriptor)
            finally:
                os.close(descriptor)
            folder.rmdir()

    def _watchers(
        self, launched: Launched, work: Path | None, mark: str, limits: Limits, opened: list[int]
    ) -> tuple[int, Tree, Callable[[], tuple[int, int, int]]]:
        """Descriptor of the work folder, the program's processes, and how full its disk is."""
        if work is not None:
            folder = os.open(work, _FOLDER)
            opened.append(folder)

            processes = WardenTree(launched, mark) if launched.has_warden else SessionTree(launched.leader, mark)
            device = os.fstat(folder).st_dev

            def folder_use() -> tuple[int, int, int]:
                size, entries = size_of_folder(folder, max_files=limits.files)
                size += processes.deleted_bytes(device)
                # The kernel lets no file grow beyond the limit, so that one that is as large has been stopped.
                return size, entries, max(limits.disk_bytes - size, 0)

            return folder, processes, folder_use
        # The program still waits at its gate, so what is found under its root is what bubblewrap put there. The
        # descriptor keeps the file system alive after the program's end.
        root = f"/proc/{launched.leader}/root"
        folder = os.open(root + WORK, _FOLDER)
        opened.append(folder)

        def memory_use() -> tuple[int, int, int]:
            facts = os.fstatvfs(folder)
            free = facts.f_bfree * facts.f_frsize
            return facts.f_blocks * facts.f_frsize - free, facts.f_files - facts.f_ffree, free

        return folder, NamespaceTree(os.open(root + "/proc", _FOLDER), launched.kill), memory_use

    async def spawn_detached(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        mounts: Sequence[Mount] = (),
        environment: Mapping[str, str] | None = None,
        passed: Sequence[int] = (),
        limits: Limits = DETACHED_LIMITS,
    ) -> Detached:
        """Start a program that outlives the lab; see :func:`~jupyter_fpga.compute.sandbox.detached.spawn_detached`."""
        return await spawn_detached(
            self.sandbox, command, folder=folder, mounts=mounts, environment=environment, passed=passed, limits=limits
        )

    async def kill_detached(self, detached: Detached) -> None:
        """End it with everything it started; see :func:`~jupyter_fpga.compute.sandbox.detached.kill_detached`."""
        await kill_detached(detached)
