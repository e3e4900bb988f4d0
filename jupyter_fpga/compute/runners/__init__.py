"""Runners: what runs the actions of the compute floor."""

from jupyter_fpga.compute.runners.base import ActionRunner, Late, RunnerVanished, Task

__all__ = ("ActionRunner", "Late", "RunnerVanished", "Task")
