"""The workers: each carries out one type of job."""

from jupyter_fpga.fpga.worker.build_job import build_job
from jupyter_fpga.fpga.worker.reset_job import reset_job
from jupyter_fpga.fpga.worker.run_job import run_job

__all__ = ("build_job", "reset_job", "run_job")
