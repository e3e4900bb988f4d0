"""Floor 1: programs of strangers in sandboxes, their results kept by content. Builds are its first client."""

from jupyter_fpga.compute.builds import Builds
from jupyter_fpga.compute.cache import ActionCache
from jupyter_fpga.compute.design import BuildFailed, BuildOptions, BuildResult, Source, StageReport
from jupyter_fpga.compute.detached import Detached
from jupyter_fpga.compute.limits import Limits
from jupyter_fpga.compute.mounts import Mount
from jupyter_fpga.compute.runner import Finished, Runner
from jupyter_fpga.compute.sandbox import Sandbox, SandboxError
from jupyter_fpga.compute.toolchains import Toolchains, ToolMissing

__all__ = (
    "ActionCache",
    "BuildFailed",
    "BuildOptions",
    "BuildResult",
    "Builds",
    "Detached",
    "Finished",
    "Limits",
    "Mount",
    "Runner",
    "Sandbox",
    "SandboxError",
    "Source",
    "StageReport",
    "ToolMissing",
    "Toolchains",
)
