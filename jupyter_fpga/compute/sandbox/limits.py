"""How much one sandboxed program may use."""

from dataclasses import dataclass

__all__ = ("MIB", "Limits")

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds of one sandboxed program together with everything it starts.

    Parameters
    ----------
    wall_seconds
        Time on the clock on the wall, from its start.
    cpu_seconds
        Processor time, summed over the tree.
    memory_bytes
        Private and shared memory, summed over the tree; what is in the work folder counts as disk instead.
    processes
        Processes and threads alive at once.
    disk_bytes
        Size of the work folder, which is a file system in memory of its own.
    output_bytes, output_lines
        What the program may print. Each line becomes a record of its own.
    files
        Files, folders and links in the work folder, and descriptors open in one process.
    """

    wall_seconds: float = 60.0
    cpu_seconds: float = 120.0
    memory_bytes: int = 2048 * MIB
    processes: int = 64
    disk_bytes: int = 256 * MIB
    output_bytes: int = 4 * MIB
    output_lines: int = 20_000
    files: int = 4096
