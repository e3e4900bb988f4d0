"""How a cell fails: two or three lines, and the cell's own one among them."""

from jupyter_fpga.client.errors import JobFailed, LabError

from .cells import Place

__all__ = ("BuildFailed", "Interrupted", "Refused", "SimulationFailed")


class _Plain(Exception):
    def _lines(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]

    def _render_traceback_(self) -> list[str]:
        return self._lines()


class BuildFailed(_Plain, JobFailed):
    """The cell's design could not be built or programmed.

    Parameters
    ----------
    failed
        The lab's reason.
    place
        The line of the cell that it names.
    """

    def __init__(self, failed: LabError, place: Place | None) -> None:
        super().__init__(failed.message, code=failed.code, detail=failed.detail)
        self.place = place

    def _lines(self) -> list[str]:
        stage = self.detail.get("stage")
        sentence = f"BuildFailed{f' ({stage})' if stage else ''}: {self}"
        if self.place is None:
            return [sentence]
        where = f"In {self.place.cell}:\n" if self.place.cell else ""
        return [f"{where}----> {self.place.number} {self.place.text.rstrip()}", sentence]


class SimulationFailed(BuildFailed):
    """A testbench of the cell has failed, or what is simulated could not be."""

    def _lines(self) -> list[str]:
        # Which stage it was is told by the name already.
        return [*super()._lines()[:-1], f"{type(self).__name__}: {self}"]


class Refused(_Plain, LabError):
    """The lab, or the magic itself, refuses what the cell's first line asks for."""

    def __init__(self, refusal: LabError) -> None:
        super().__init__(refusal.message, code=refusal.code, detail=refusal.detail)
        self.kind = type(refusal).__name__

    def _lines(self) -> list[str]:
        return [f"{self.kind}: {self}"]


class Interrupted(_Plain, KeyboardInterrupt):
    """The person interrupted the cell; the message tells what became of the job."""


# Front ends and test runners know an interrupt by its name.
Interrupted.__name__ = "KeyboardInterrupt"
