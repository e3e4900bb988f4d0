"""Builds, the first client of the compute floor: from a design to a board's image, each stage done once."""

from jupyter_fpga.compute.builds.design import BuildFailed, BuildOptions, BuildResult, Source, StageReport
from jupyter_fpga.compute.builds.pipeline import Builds
from jupyter_fpga.compute.builds.toolchains import Toolchains, ToolMissing

__all__ = ("BuildFailed", "BuildOptions", "BuildResult", "Builds", "Source", "StageReport", "ToolMissing", "Toolchains")
