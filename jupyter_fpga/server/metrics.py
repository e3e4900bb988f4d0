"""The metrics of all floors of a lab: as the API's own, and as part of the Jupyter server's ``/metrics``."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from .door import LabLike

__all__ = ("LabCollector", "as_text")


def as_text(lab: LabLike) -> str:
    """What Prometheus collects, in its text format."""
    registry = CollectorRegistry()
    registry.register(LabCollector(lab))
    return generate_latest(registry).decode()


class LabCollector(Collector):
    """Passes on what the lab counts, asked anew at each scrape.

    Parameters
    ----------
    lab
        Its floors.
    """

    def __init__(self, lab: LabLike) -> None:
        self._lab = lab

    def collect(self) -> Iterable[Metric]:
        """All metrics of the lab."""
        yield from self._lab.fpga.metrics().collect()
        yield from self._lab.compute.metrics()

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: what there is depends on the boards."""
        return ()
