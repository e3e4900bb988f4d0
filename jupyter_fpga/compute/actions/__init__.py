"""Actions: pure functions that anybody may have computed, durably, once for everybody, and fairly."""

from jupyter_fpga.compute.actions.config import ComputeConfig
from jupyter_fpga.compute.actions.service import Compute

__all__ = ("Compute", "ComputeConfig")
