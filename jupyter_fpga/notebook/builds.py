"""What ``%%fpga --build-only`` leaves: a build without a board."""

from jupyter_fpga.client import Job, Report
from jupyter_fpga.client.loop import blocking, on_the_loop
from jupyter_fpga.client.tables import html_table, text_table
from jupyter_fpga.gateware.manifest import Manifest

__all__ = ("BuildHandle",)


class BuildHandle:
    """A build: its manifest, its report, its files.

    Parameters
    ----------
    job
        The job that builds; until it is complete, the first use waits for it.
    name
        What the person calls it.
    """

    def __init__(self, job: Job, name: str) -> None:
        self.job = job
        self.name = name
        self._manifest: Manifest | None = None

    @on_the_loop
    async def aready(self, timeout: float | None = None) -> "BuildHandle":
        """Wait until the build is done; raises what it failed with."""
        if self._manifest is None:
            await self.job.await_(timeout)
            self._manifest = await self.job.amanifest()
        return self

    ready = blocking(aready)

    @property
    def manifest(self) -> Manifest:
        """What the build produced, as data."""
        self.ready()
        assert self._manifest is not None
        return self._manifest

    @property
    def report(self) -> Report:
        """The build report."""
        self.ready()
        return self.job.report()

    @property
    def log(self) -> str:
        """The log of the build."""
        return self.job.logs()

    def artifact(self, name: str) -> bytes:
        """``csr.json``, ``csr.csv``, ``top.v`` or ``bitstream``."""
        self.ready()
        return self.job.artifact(name)

    def _facts(self) -> list[list[str]]:
        found = self._manifest
        if found is None:
            return [["design", self.job.status]]
        return [
            ["design", found.top],
            ["target", found.target],
            ["clock", f"{found.clock_hz / 1e6:g} MHz"],
            ["registers", ", ".join(register.name for register in found.registers) or "none"],
        ]

    def __repr__(self) -> str:
        return text_table(["build", self.name], self._facts())

    def _repr_html_(self) -> str:
        return html_table(["build", self.name], self._facts())
