"""The doors of the compute floor: actions, queues, chunks and workers below ``/compute``."""
