"""What a lab may be told about its compute floor."""

from dataclasses import dataclass

__all__ = ("ComputeConfig", "QueueConfig")


@dataclass(frozen=True)
class QueueConfig:
    """What a client may ask of its queue.

    Parameters
    ----------
    max_retries
        How often a failed or abandoned action is tried again; 0: never.
    max_active
        How many of the queue's actions may run at once; ``None``: as many as there is room for.
    ttl_seconds
        A queue that nobody has used for so long, and in which nothing is left to do, ends.
    """

    max_retries: int = 3
    max_active: int | None = None
    ttl_seconds: float = 900.0


@dataclass(frozen=True)
class ComputeConfig:
    """Limits of the compute floor.

    Parameters
    ----------
    keep_seconds
        How long finished actions are kept that nobody retires.
    chunk_seconds
        How long a chunk is kept that no action uses.
    retry_seconds
        Waits before a *failed* action is tried again: the first, the second, and every later one. An abandoned one is
        tried at once.
    max_unfinished
        Unfinished actions that one person may have.
    max_queues
        Queues that one person may have open.
    max_chunk_bytes
        Size of one chunk.
    """

    keep_seconds: float = 24 * 3600.0
    chunk_seconds: float = 3600.0
    retry_seconds: tuple[float, ...] = (0.5, 5.0, 30.0)
    max_unfinished: int = 50_000
    max_queues: int = 100
    max_chunk_bytes: int = 256 * 1024 * 1024
