"""Rules that hold for every test."""

import contextlib
import gc
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import settings

from jupyter_fpga.client import Job, LabClient, LabError, start_lab

from .databases import cluster, postgres_url, sqlite_url, url  # noqa: F401 - fixtures

IN_CI = os.environ.get("CI") == "true"

# Modules with assertions besides the tests themselves: what fails there shall be shown with its values, too.
pytest.register_assert_rewrite(
    *(f"tests.{name}" for name in ("crash.room", "crash.scenarios", "crash.mishaps", "refusals.designs"))
)

# A shell that starts tests in the background has interrupts ignored, and what the tests start would ignore them, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that is busy with something else makes no example wrong.
settings.register_profile("jupyter_fpga", deadline=None)
settings.load_profile("jupyter_fpga")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI a test that is skipped, for a tool that is missing or any other reason, has failed."""
    report: pytest.TestReport = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be skipped in CI: {report.longrepr}"
    return report


def pytest_sessionfinish() -> None:
    """Collect what has ended: a board that outlives its lab, as it should, has nobody who waits for its process."""
    for process in gc.get_objects():
        if type(process) is subprocess.Popen:
            process.poll()


@dataclass(frozen=True)
class ServedLab:
    """A lab that ``jupyter fpga serve`` runs for the tests, and where commands and kernels find it."""

    url: str
    token: str
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"


@pytest.fixture(scope="session")
def served_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedLab]:
    """A lab with four simulated boards and folders of its own; stopped in order at the end."""
    folder = tmp_path_factory.mktemp("served-lab")
    foreign = ("JUPYTER_FPGA_", "JPY_PARENT_PID", "JUPYTERHUB_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    for kind in ("RUNTIME", "DATA", "CONFIG"):
        environment[f"JUPYTER_{kind}_DIR"] = str(folder / kind.lower())
    environment["IPYTHONDIR"] = str(folder / "ipython")
    # Ends by itself when the test run was killed; after an hour, as long tests of other parts come between two uses.
    lab = start_lab(["--boards=4", "--idle-exit=3600"], environment=environment)
    yield ServedLab(lab.url, lab.token, environment, lab.process)
    lab.process.terminate()
    assert lab.process.wait() == 0


@pytest.fixture
def lab(served_lab: ServedLab) -> Iterator[LabClient]:
    """A client of the served lab; what the test has begun is ended after it, and what it holds given back."""
    assert served_lab.process.poll() is None, "the tests' lab has ended: an earlier test did that"
    with LabClient(served_lab.url, served_lab.token) as client:
        yield client
        for status in ("queued", "running"):
            for record in client.jobs(status=status):
                job = Job(client, record)
                with contextlib.suppress(LabError):  # too late to cancel, or cancelled
                    job.cancel()
                    job.wait()
                for _ in job.changes():
                    pass
        for fpga_id in client.held():
            client.reset(fpga_id).wait()
