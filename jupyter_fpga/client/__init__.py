"""The lab from a person's side, over HTTP and WebSocket: :func:`connect`, submit a design, use its registers.

.. code-block:: python

    import jupyter_fpga

    lab = jupyter_fpga.connect()
    board = lab.submit("design.py").board()
    board.regs.duty = 40
    board.release()
"""

from .batch import Batch, Pending
from .boards import BoardHandle, BoardJob
from .captures import Capture, NotTriggered
from .compute.actions import Action
from .compute.lab import ComputeClient
from .compute.posting import Call
from .compute.queues import Queue
from .errors import (
    Conflict,
    Forbidden,
    Invalid,
    JobCancelled,
    JobFailed,
    LabError,
    NotFound,
    QuotaExceeded,
    TimedOut,
    TooLarge,
    Unavailable,
)
from .finding import connect, find_lab
from .jobs import Job
from .lab import LabClient
from .registers import Register, RegisterArray, Registers
from .report import Report
from .simulations import Simulating, Simulation, SimulationFailed
from .sources import bundle
from .starting import StartedLab, start_lab
from .values import EnumValue

__all__ = (
    "Action",
    "Batch",
    "BoardHandle",
    "BoardJob",
    "Call",
    "Capture",
    "ComputeClient",
    "Conflict",
    "EnumValue",
    "Forbidden",
    "Invalid",
    "Job",
    "JobCancelled",
    "JobFailed",
    "LabClient",
    "LabError",
    "NotFound",
    "NotTriggered",
    "Pending",
    "Queue",
    "QuotaExceeded",
    "Register",
    "RegisterArray",
    "Registers",
    "Report",
    "Simulating",
    "Simulation",
    "SimulationFailed",
    "StartedLab",
    "TimedOut",
    "TooLarge",
    "Unavailable",
    "bundle",
    "connect",
    "find_lab",
    "start_lab",
)
