"""Who computes what: the lab's built-ins, the lab's own tools, and the workers that operators register."""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import delete, insert, select

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.actions import refusals
from jupyter_fpga.compute.actions.builtin import BUILTINS
from jupyter_fpga.compute.actions.chunks import Chunks, granted
from jupyter_fpga.compute.actions.descriptors import Action, WorkerDescriptor, read_worker
from jupyter_fpga.compute.runners import Task
from jupyter_fpga.compute.sandbox import MIB, Limits, Mount
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store, Transaction
from jupyter_fpga.store.action_tables import workers

__all__ = ("LabFunctions", "Workers")

PROGRAMS = "/worker"
"""Where a registered worker's programs are in the sandbox."""

_BUILTIN = WorkerDescriptor("builtin", tuple(sorted(BUILTINS)))
_LAB = "lab"
"""Owner of the lab's own workers, and the name of the one that builds."""


class LabFunctions(Protocol):
    """Tools of the lab as functions."""

    @property
    def name(self) -> str:
        """Of the worker that has them."""
        ...

    @property
    def versions(self) -> Mapping[str, str]:
        """The current version of each function: another one is another state of the tools."""
        ...

    async def task(self, action: Action, token: str) -> Task:
        """What is to be run for an action; ``LabError`` when it can't be."""
        ...


class Workers:
    """The workers of the lab.

    Parameters
    ----------
    store, chunks, clock
        The floor's parts.
    folder
        Where registered programs are put together.
    """

    def __init__(self, store: Store, chunks: Chunks, clock: Clock, folder: Path) -> None:
        self._store = store
        self._chunks = chunks
        self._clock = clock
        self._folder = folder
        self._known: dict[str, WorkerDescriptor] = {_BUILTIN.id: _BUILTIN}
        self._tools: dict[str, LabFunctions] = {}
        self._installed = asyncio.Event()
        self._building = asyncio.Lock()
        self.lab_id: str | None = None
        """The worker that builds, once its tools are ready."""

    async def start(self) -> None:
        """Know again what was registered."""
        registered = select(workers).where(workers.c.owner != _LAB).order_by(workers.c.created_at)
        rows = await self._store.read(lambda connection: list(connection.execute(registered).mappings()))
        for row in rows:
            self._known[row["worker"]] = read_worker(row["descriptor"])

    async def install(self, functions: LabFunctions) -> str:
        """Offer tools of the lab, in place of an earlier state of them; returns the worker's id."""
        descriptor = WorkerDescriptor(functions.name, tuple(sorted(functions.versions.items())))

        def work(tx: Transaction) -> None:
            tx.execute(delete(workers).where(workers.c.owner == _LAB, workers.c.name == functions.name))
            self._insert(tx, descriptor, _LAB)

        await self._store.write(work)
        for worker in [worker for worker, tools in self._tools.items() if tools.name == functions.name]:
            del self._tools[worker], self._known[worker]
        self._known[descriptor.id] = descriptor
        self._tools[descriptor.id] = functions
        if functions.name == _LAB:
            self.lab_id = descriptor.id
            self._installed.set()
        return descriptor.id

    def is_builtin(self, worker: str) -> bool:
        """Whether the worker's functions run inside the lab."""
        return worker == _BUILTIN.id

    def resolve(self, function: str, version: str, worker: str | None) -> str:
        """The worker that computes a function: the one that was asked for, or the newest that can.

        Raises
        ------
        NotFound
            ``worker_not_found``
        Invalid
            ``function_unknown``
        """
        if worker is not None and worker not in self._known:
            raise refusals.worker_not_found(worker)
        candidates = [worker] if worker is not None else list(reversed(self._known))
        for candidate in candidates:
            if (function, version) in self._known[candidate].functions:
                return candidate
        known = [pair for candidate in candidates for pair in self._known[candidate].functions]
        raise refusals.function_unknown(function, version, known, worker)

    def list(self) -> list[dict[str, Any]]:
        """All of them, the oldest first."""
        return [self._record(worker) for worker in self._known]

    def show(self, worker: str) -> dict[str, Any]:
        """One of them; ``worker_not_found``."""
        if worker not in self._known:
            raise refusals.worker_not_found(worker)
        return self._record(worker)

    def _record(self, worker: str) -> dict[str, Any]:
        return {"worker": worker, **self._known[worker].as_json()}

    async def register(self, person: Person, told: Mapping[str, Any]) -> dict[str, Any]:
        """Offer a worker; answers with its id, or with the chunks that must be sent first.

        Raises
        ------
        Forbidden
            ``operator_only``
        Invalid
            ``worker_rejected``, ``hash_rejected``
        """
        if not person.is_operator:
            raise refusals.operator_only("register a worker")
        descriptor = read_worker(told)
        hashes = {*descriptor.executables.values(), *descriptor.files.values()}

        def work(tx: Transaction) -> list[str]:
            needs = sorted(hashes - granted(tx, person.name, hashes))
            known = select(workers.c.worker).where(workers.c.worker == descriptor.id)
            if not needs and tx.execute(known).first() is None:
                self._insert(tx, descriptor, person.name)
                tx.event("worker_registered", owner=person.name, worker=descriptor.id, name=descriptor.name)
            return needs

        needs = await self._store.write(work)
        if needs:
            return {"needs": needs}
        self._known[descriptor.id] = descriptor
        return {"worker": descriptor.id}

    def _insert(self, tx: Transaction, descriptor: WorkerDescriptor, owner: str) -> None:
        facts = {"name": descriptor.name, "descriptor": descriptor.as_json(), "created_at": tx.now}
        tx.execute(insert(workers), {"worker": descriptor.id, "owner": owner, **facts})

    async def task(self, worker: str, action: Action, token: str) -> Task:
        """What is to be run for an action.

        Raises
        ------
        LabError
            It can't be run: ``worker_not_found``, ``chunk_not_found`` …
        """
        if worker not in self._known:
            # After a restart the tools take a moment to be found; another state of them is another worker.
            await self._installed.wait()
            if worker not in self._tools:
                raise refusals.worker_not_found(worker)
        if worker in self._tools:
            return await self._tools[worker].task(action, token)
        descriptor = self._known[worker]
        async with self._building:
            programs = await asyncio.to_thread(self._programs, descriptor)
        return self._task(descriptor, programs, action, token)

    def _task(self, descriptor: WorkerDescriptor, programs: Path, action: Action, token: str) -> Task:
        request = {"function": action.function, "function_version": action.version, **action.as_request()}
        inputs: dict[str, Path | bytes] = {
            f"inputs/{name}": self._chunks.blob(content.hash, content.size) for name, content in action.inputs.items()
        }
        program = descriptor.program(action.function)
        return Task(
            token=token,
            # The folder must be the program's own: the lab may run as another user.
            command=("/bin/sh", "-c", 'mkdir outputs && exec "$@"', "sh", f"{PROGRAMS}/{program}", action.function),
            limits=Limits(
                wall_seconds=descriptor.timeout_seconds,
                cpu_seconds=descriptor.timeout_seconds * descriptor.cores,
                memory_bytes=descriptor.memory_mb * MIB,
            ),
            inputs={**inputs, "request.json": json.dumps(request).encode()},
            outputs=("outputs/",),
            results="outputs/",
            mounts=(Mount(programs, PROGRAMS),),
            environment=descriptor.environment,
        )

    def _programs(self, descriptor: WorkerDescriptor) -> Path:
        """The worker's files under their own names."""
        folder = self._folder / descriptor.id
        if folder.is_dir():
            return folder
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=self._folder))
        fresh.chmod(0o755)
        for paths, mode in ((descriptor.files, 0o444), (descriptor.executables, 0o555)):
            for name, hash in paths.items():
                source = self._chunks.find(hash)
                if source is None:
                    shutil.rmtree(fresh)
                    raise refusals.chunk_not_found(hash)
                target = fresh / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
                os.chmod(target, mode)
        fresh.rename(folder)
        return folder
