"""Contents that people send and get: who may know of which, and which are kept."""

import asyncio
import os
from collections.abc import Collection, Iterable
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, tuple_, update

from jupyter_fpga.clock import Clock
from jupyter_fpga.compute.actions import refusals
from jupyter_fpga.compute.actions.config import ComputeConfig
from jupyter_fpga.compute.actions.descriptors import check_hash
from jupyter_fpga.compute.actions.portions import portions
from jupyter_fpga.compute.cache import ActionCache, Blob, digest_of
from jupyter_fpga.errors import LabError
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store, Transaction
from jupyter_fpga.store.action_tables import actions, chunk_grants, chunks, workers

__all__ = ("Chunks", "grant", "granted", "hashes_in_use")


def grant(tx: Transaction, pairs: Collection[tuple[str, str]]) -> None:
    """Note that owners have contents: pairs of hash and owner."""
    for some in portions(sorted(pairs)):
        table = chunk_grants.c
        theirs = tuple_(table.hash, table.owner).in_(some)
        tx.execute(update(chunk_grants).where(theirs).values(used_at=tx.now))
        known = {tuple(row) for row in tx.execute(select(table.hash, table.owner).where(theirs))}
        new = [{"hash": hash, "owner": owner, "used_at": tx.now} for hash, owner in some if (hash, owner) not in known]
        if new:
            tx.execute(insert(chunk_grants), new)


def granted(tx: Transaction, owner: str, hashes: Collection[str]) -> set[str]:
    """Those of ``hashes`` that ``owner`` has; they count as used now."""
    found: set[str] = set()
    for some in portions(sorted(hashes)):
        mine = (chunk_grants.c.owner == owner) & chunk_grants.c.hash.in_(some)
        touched = update(chunk_grants).where(mine).values(used_at=tx.now).returning(chunk_grants.c.hash)
        found |= set(tx.execute(touched).scalars())
    return found


def hashes_in_use(connection: Connection) -> set[str]:
    """Contents that rows name: inputs and outputs of actions, programs of workers, and what somebody has."""
    used = set(connection.execute(select(chunk_grants.c.hash)).scalars())
    for row in connection.execute(select(actions.c.request, actions.c.result)).mappings():
        used |= {content["hash"] for content in row["request"]["inputs"].values()}
        used |= {content["hash"] for content in ((row["result"] or {}).get("outputs") or {}).values()}
    for descriptor in connection.execute(select(workers.c.descriptor)).scalars():
        used |= {*descriptor["executables"].values(), *descriptor["files"].values()}
    return used


class Chunks:
    """Contents by their hash, each person seeing their own.

    That somebody else has a content is nobody's business: it is asked for again, and an unknown one and another's look
    the same.
    """

    def __init__(self, store: Store, cache: ActionCache, clock: Clock, config: ComputeConfig) -> None:
        self._store = store
        self._blobs = cache.blobs
        self._clock = clock
        self._config = config

    async def put(self, person: Person, hash: str, path: Path) -> None:
        """Take a file in; see :meth:`Compute.put_chunk`."""
        check_hash(hash)
        size = await asyncio.to_thread(os.path.getsize, path)
        if size > self._config.max_chunk_bytes:
            raise refusals.chunk_too_large(size, self._config.max_chunk_bytes)
        await asyncio.to_thread(self._take, path, hash)

        def work(tx: Transaction) -> None:
            grant(tx, {(hash, person.name)})
            known = update(chunks).where(chunks.c.hash == hash).values(used_at=tx.now)
            if not tx.execute(known).rowcount:
                tx.execute(insert(chunks), {"hash": hash, "size": size, "used_at": tx.now})

        await self._store.write(work)

    def _take(self, path: Path, hash: str) -> None:
        if self._blobs.take(path, hash) is None:
            raise refusals.chunk_mismatch(hash, digest_of(path))

    async def path(self, person: Person, hash: str) -> tuple[Path, int]:
        """Where a content of the person's is, and its size."""
        check_hash(hash)
        mine = (chunk_grants.c.hash == hash) & (chunk_grants.c.owner == person.name)
        statement = select(chunk_grants.c.hash).where(mine)
        known = await self._store.read(lambda connection: connection.execute(statement).first())
        found = self._blobs.find(hash) if known else None
        if found is None:
            raise refusals.chunk_not_found(hash)
        return found, found.stat().st_size

    def missing(self, tx: Transaction, owner: str, contents: Iterable[tuple[str, str, int]]) -> list[str]:
        """Those of the contents (name, hash, size) that the owner must send first.

        Raises
        ------
        Invalid
            ``action_rejected``: a size that isn't the chunk's.
        """
        wanted = list(contents)
        have = granted(tx, owner, {hash for _, hash, _ in wanted})
        needs: list[str] = []
        for name, hash, size in wanted:
            found = self._blobs.find(hash) if hash in have else None
            if found is None:
                needs.append(hash)
            elif (real := found.stat().st_size) != size:
                error: LabError = refusals.size_mismatch(name, hash, size, real)
                raise error
        return sorted(set(needs))

    def find(self, hash: str) -> Path | None:
        """Where a content is, whoever has it."""
        return self._blobs.find(hash)

    def blob(self, hash: str, size: int, executable: bool = False) -> Path:
        """Where a content is, for a program to be given."""
        return self._blobs.path(Blob(hash, size, executable))

    async def expire(self) -> None:
        """Forget grants that nobody used for long and that no row needs, so that the files can go."""
        oldest = self._clock.time() - self._config.chunk_seconds

        def work(tx: Transaction) -> None:
            needed = select(actions.c.owner)
            table = chunk_grants.c
            # Whoever has unfinished or unretired actions keeps what they have.
            tx.execute(delete(chunk_grants).where(table.used_at < oldest, table.owner.not_in(needed)))
            tx.execute(delete(chunks).where(chunks.c.hash.not_in(select(table.hash))))

        await self._store.write(work)
