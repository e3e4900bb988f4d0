"""What the compute floor counts and how it is now, in the form that Prometheus collects."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

__all__ = ("Counts", "metrics")


@dataclass
class Counts:
    """Counts since the lab was started.

    Parameters
    ----------
    ended
        Actions by the state in which they ended.
    runs
        Programs that were run.
    shared
        Actions that got their result from a run that was begun for another.
    kept
        Actions whose result was there already.
    """

    ended: "Counter[str]" = field(default_factory=Counter)
    runs: int = 0
    shared: int = 0
    kept: int = 0


def metrics(counts: Counts, waiting: int, running: int, capacity: int) -> Iterable[Metric]:
    """The metrics now; they name no owner.

    Parameters
    ----------
    waiting, running
        Unfinished actions that nobody works on, and runs under way.
    capacity
        Runs at once.
    """
    yield GaugeMetricFamily("jupyter_fpga_actions_waiting", "Actions that wait for a runner", value=waiting)
    yield GaugeMetricFamily("jupyter_fpga_runs", "Programs that run", value=running)
    yield GaugeMetricFamily("jupyter_fpga_runs_at_once", "Programs that may run at once", value=capacity)
    ended = CounterMetricFamily("jupyter_fpga_actions", "Actions that ended", labels=("state",))
    for state, count in sorted(counts.ended.items()):
        ended.add_metric((state,), count)
    yield ended
    results = CounterMetricFamily("jupyter_fpga_results", "Results by where they came from", labels=("source",))
    for source, count in (("run", counts.runs), ("shared", counts.shared), ("cache", counts.kept)):
        results.add_metric((source,), count)
    yield results
