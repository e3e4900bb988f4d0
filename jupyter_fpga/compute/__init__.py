"""Floor 1: programs of strangers in sandboxes, their results kept by content. Builds are its first client."""

from jupyter_fpga.compute.builds.design import BuildFailed, BuildOptions, BuildResult, Source, StageReport, image_of
from jupyter_fpga.compute.builds.pipeline import Builds
from jupyter_fpga.compute.builds.toolchains import Toolchains, ToolMissing
from jupyter_fpga.compute.cache.results import ActionCache
from jupyter_fpga.compute.sandbox.detached import Detached
from jupyter_fpga.compute.sandbox.limits import Limits
from jupyter_fpga.compute.sandbox.mounts import Mount
from jupyter_fpga.compute.sandbox.programs import Finished, Runner
from jupyter_fpga.compute.sandbox.walls import Sandbox, SandboxError

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
    "image_of",
)
