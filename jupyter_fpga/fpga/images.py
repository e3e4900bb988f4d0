"""Which builds the boards' floor still needs."""

from sqlalchemy import Connection, select, union

from jupyter_fpga.fpga.states import FINISHED
from jupyter_fpga.store.tables import boards, jobs

__all__ = ("images_needed",)


def images_needed(connection: Connection) -> frozenset[str]:
    """Digests of the builds that are on boards, or of jobs that wait for a board or are being programmed."""
    on_boards = select(boards.c.image_digest).where(boards.c.image_digest.is_not(None))
    of_jobs = select(jobs.c.manifest_digest).where(
        jobs.c.manifest_digest.is_not(None), jobs.c.status.not_in(sorted(FINISHED))
    )
    return frozenset(connection.execute(union(on_boards, of_jobs)).scalars())
