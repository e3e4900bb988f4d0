"""What the tests of the compute floor share."""

import pytest

from jupyter_fpga.compute.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    """The best walls of this machine."""
    return Sandbox.probe()


@pytest.fixture
def bare() -> Sandbox:
    """No walls."""
    return Sandbox.without("A test asked for none.")
