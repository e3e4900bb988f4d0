"""What the tests of the compute floor share."""

import sys
from pathlib import Path

import pytest

from jupyter_fpga.compute import Builds, Runner, Sandbox
from jupyter_fpga.compute.builds.toolchains import Compiler, Toolchains, Yosys

from .builds import Make

STAGES = Path(__file__).with_name("resources") / "stages.py"


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    """The best walls of this machine."""
    return Sandbox.probe()


@pytest.fixture
def bare() -> Sandbox:
    """No walls."""
    return Sandbox.without("A test asked for none.")


@pytest.fixture
def make(sandbox: Sandbox, bare: Sandbox, tmp_path: Path) -> Make:
    """Builds whose stages are a small program of the tests."""

    def make(*, walls: Sandbox = sandbox, **more: object) -> Builds:
        tools = Toolchains(Yosys("yosys", "0.70", wheel=False), Compiler("c++", "12"), tmp_path, {"gateware": "1"})
        return Builds(
            data_dir=tmp_path / "lab",
            runner=Runner(walls),
            toolchains=tools,
            command=[sys.executable, "-c", STAGES.read_text()],
            **more,  # type: ignore[arg-type]
        )

    return make
