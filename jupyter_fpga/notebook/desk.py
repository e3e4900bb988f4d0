"""What one kernel has on its desk: the lab, the boards by name, the cells that later designs build on."""

from collections.abc import Callable, Sequence

from jupyter_fpga.client import BoardHandle, Job, LabClient, connect
from jupyter_fpga.client.errors import Invalid, NotFound

from .cells import Library

__all__ = ("Desk",)

#: Jobs among which the last design is looked for.
LATEST = 100


class Desk:
    """The state of the magics.

    Parameters
    ----------
    find
        Finds or starts the lab; given somebody to tell when one is started.
    """

    def __init__(self, find: Callable[[Callable[[str], None]], LabClient] = lambda say: connect(say=say)) -> None:
        self._find = find
        self._lab: LabClient | None = None
        self.boards: dict[str, BoardHandle] = {}
        self.libraries: list[Library] = []
        self.target: str | None = None
        #: The board that was picked for designs that name none.
        self.picked: int | None = None
        self.last_job: Job | None = None
        self.started_here = False

    @property
    def known_lab(self) -> LabClient | None:
        """The lab, if this kernel has needed one already."""
        return self._lab

    def lab(self, say: Callable[[str], None] | None = None) -> LabClient:
        """The lab; found, or started, when it is first needed and when the one before has gone.

        Parameters
        ----------
        say
            Told when one is started.
        """

        def tell(sentence: str) -> None:
            self.started_here = True
            if say is not None:
                say(sentence)

        if self._lab is None or not self._lab.alive():
            self._lab = self._find(tell)
        return self._lab

    def board_for(self, name: str, number: int | None, target: str | None, tags: Sequence[str]) -> int | None:
        """The board that a design called ``name`` goes to.

        The one asked for; the one that was picked, unless other ``tags`` are asked for; the one it is on; or ``None``
        for any.
        """
        if number is None and not tags:
            number = self.picked
        if number is not None:
            return number
        handle = self.boards.get(name)
        if handle is None or tags or handle.job.fpga_id is None or not handle.held():
            return None
        if target is not None and handle.manifest.target != target:
            return None
        return handle.fpga_id

    def take(self, name: str, job: Job) -> BoardHandle:
        """The handle for ``job``: the one that ``name`` has, if the job is for the same board."""
        handle = self.boards.get(name)
        if handle is not None and handle.lab is job.lab and handle.job.fpga_id in (None, job.fpga_id):
            handle._reprogrammed(job)
        else:
            handle = self.boards[name] = BoardHandle(job.lab, job, name)
        self.boards["_fpga"] = handle
        return handle

    def handle(self, name: str | None, number: int | None) -> BoardHandle:
        """A board that commands are about.

        Raises
        ------
        LabError
            ``no_such_handle``; or ``no_board_held``, ``several_boards`` of the lab's client.
        """
        if number is not None:
            for handle in self.boards.values():
                if handle.job.fpga_id == number and handle.held():
                    return handle
            return self.lab().board(number)
        if name is not None:
            if name not in self.boards:
                known = sorted(set(self.boards) - {"_fpga"})
                there = f"{'is' if len(known) < 2 else 'are'} {', '.join(known) or 'none'}"
                raise Invalid(f"There is no board handle “{name}” here; there {there}.", code="no_such_handle")
            return self.boards[name]
        return self.boards["_fpga"] if "_fpga" in self.boards else self.lab().board()

    def job_of(self, name: str | None) -> Job:
        """The job that ``logs`` is about: the last one, or the one of a handle."""
        if name is not None:
            return self.handle(name, None).job
        if self.last_job is not None:
            return self.last_job
        # Not of a reset, which comes by itself when a board is given back.
        jobs = [job for job in self.lab().jobs(limit=LATEST) if job["type"] != "reset"]
        if not jobs:
            raise NotFound("You have no jobs yet; run a %%fpga cell first.", code="no_job")
        return Job(self.lab(), jobs[0])
