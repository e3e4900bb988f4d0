"""What an interrupt does in the moment in which the lab takes a job."""

import asyncio
import os
import signal

import pytest

from jupyter_fpga.client import Invalid
from jupyter_fpga.notebook.errors import Interrupted
from jupyter_fpga.notebook.watching import submitted


async def interrupt():
    """As a person does who sees that it takes long: the main thread waits for the answer by then."""
    await asyncio.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_while_the_lab_takes_the_job_cancels_it(lab):
    async def taking():
        await interrupt()
        return await lab.abuild("import time\ntime.sleep(600)\n", use_cache=False)

    with pytest.raises(Interrupted) as caught:
        submitted(taking())
    assert str(caught.value) == "Interrupted. The job was cancelled."
    assert lab.jobs(type="build", limit=1)[0]["status"] == "cancelled"


def test_an_interrupt_of_what_the_lab_refuses(lab):
    async def refused():
        await interrupt()
        raise Invalid("It can't be.", code="design_rejected")

    with pytest.raises(Interrupted) as caught:
        submitted(refused())
    assert str(caught.value) == "Interrupted. Nothing was submitted."
