"""What tests of builds share."""

from collections.abc import Awaitable, Callable

import pytest

from jupyter_fpga.compute import BuildFailed, BuildOptions, Builds, Source, StageReport

Make = Callable[..., Awaitable[Builds]]


def design(text: str) -> Source:
    return Source({"design.py": text.encode()}, "design.py")


class Heard:
    """What a build told."""

    def __init__(self) -> None:
        self.reports: list[StageReport] = []
        self.lines: list[str] = []

    @property
    def work(self) -> list[tuple[str, str, bool]]:
        return [(report.name, report.state, report.cached) for report in self.reports]

    @property
    def listeners(self) -> dict[str, Callable[..., None]]:
        return {"on_stage": self.reports.append, "on_log": self.lines.append}


async def fail(builds: Builds, text: str) -> BuildFailed:
    with pytest.raises(BuildFailed) as caught:
        await builds.build(design(text), BuildOptions())
    return caught.value
