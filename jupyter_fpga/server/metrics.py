"""The lab's metrics as part of the Jupyter server's own ``/metrics``."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

__all__ = ("LabCollector",)


class LabCollector(Collector):
    """Passes on what the lab counts, asked anew at each scrape.

    Parameters
    ----------
    registry
        Gives the lab's registry.
    """

    def __init__(self, registry: Callable[[], CollectorRegistry]) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        """All metrics of the lab."""
        return self._registry().collect()

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: what there is depends on the boards."""
        return ()
