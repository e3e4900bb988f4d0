"""Programs of strangers behind walls, watched and bounded."""

from jupyter_fpga.compute.sandbox.detached import DETACHED_LIMITS, Detached
from jupyter_fpga.compute.sandbox.limits import MIB, Limits
from jupyter_fpga.compute.sandbox.mounts import Mount
from jupyter_fpga.compute.sandbox.programs import Finished, ProgramKilled, Runner
from jupyter_fpga.compute.sandbox.supervisor import Bound
from jupyter_fpga.compute.sandbox.walls import Sandbox, SandboxError, Tier
from jupyter_fpga.compute.sandbox.workfolder import BadOutput

__all__ = (
    "DETACHED_LIMITS",
    "MIB",
    "BadOutput",
    "Bound",
    "Detached",
    "Finished",
    "Limits",
    "Mount",
    "ProgramKilled",
    "Runner",
    "Sandbox",
    "SandboxError",
    "Tier",
)
